"""Character tables written for this package: adjacent keys, same sounds, similar looks, two scripts.

`OTHER_SCRIPT` holds 621 of the commonest pairs whose two forms are interchangeable in any word; characters that merge
several traditional ones (后, 里, 干, 面, 台, 只, 发 …) are left out.
"""

from collections.abc import Mapping

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

NEIGHBOURS: Mapping[str, str] = {
    key: row[max(place - 1, 0) : place] + row[place + 1 : place + 2] for row in _ROWS for place, key in enumerate(row)
}
"""Letter → letters beside it on a keyboard."""

_SAME_SOUND = (
    "的地得", "在再", "做作坐座", "他她它", "以已", "是事市式", "向像象", "即既", "帐账", "到道", "和合", "公工",
    "其期", "时实", "有又", "进近", "机级", "设社", "备被", "电店", "压亚", "温文", "度渡", "高搞", "低底", "常长",
    "修休", "理里", "油由", "水睡", "原元", "因音", "报抱", "检简", "查察", "声生", "现线", "急及", "部步", "件建",
    "形行", "号好", "需须",
)  # fmt: skip
HOMOPHONES: Mapping[str, str] = {letter: group.replace(letter, "") for group in _SAME_SOUND for letter in group}
"""Chinese character → others of the same sound."""

_SAME_LOOK = (
    "0Oo", "1lI|", "5S", "8B", "2Z", "6b", "9g", "uv", "ce", "nh", "VY", "DO", "ij", "QO", "ft", "己已巳", "未末",
    "日曰", "人入八", "土士", "干千于", "大太犬", "天夫", "田由甲申", "木本术", "目日自", "力刀", "贝见", "鸟乌",
    "兔免", "戊戌戍", "王玉主", "午牛", "今令", "何向", "问间同", "体休", "候侯", "晴睛", "准淮", "折拆", "拔拨",
    "陪赔", "密蜜", "坏环", "电申", "车东", "风凤", "几儿", "九丸", "口囗", "白自", "厂广", "万方", "压庄", "度废",
)  # fmt: skip


def _likes() -> dict[str, tuple[str, ...]]:
    likes: dict[str, list[str]] = {"m": ["rn"], "w": ["vv"], "d": ["cl"]}
    for group in _SAME_LOOK:
        for letter in group:
            likes.setdefault(letter, []).extend(group.replace(letter, ""))
    return {letter: tuple(others) for letter, others in likes.items()}


LOOK_ALIKES: Mapping[str, tuple[str, ...]] = _likes()
"""Sign → signs that a scanner confuses it with."""

_PAIRS = (
    "万萬与與专專业業东東丝絲两兩严嚴丧喪个個丰豐临臨为為丽麗举舉义義乌烏乐樂乔喬习習乡鄉书書买買乱亂争爭亏虧亚亞"
    "产產亩畝亲親亿億仅僅从從仓倉仪儀们們价價众眾优優会會伞傘伟偉传傳伤傷伦倫伪偽体體余餘佣傭侠俠侧側侨僑债債倾傾"
    "偿償储儲儿兒党黨兰蘭关關兴興养養兽獸内內册冊写寫军軍农農决決况況冻凍净淨凉涼减減凤鳳凭憑凯凱击擊刘劉则則"
    "刚剛创創删刪别別剂劑剑劍剧劇劝勸办辦务務动動励勵劲勁劳勞势勢区區医醫华華协協单單卖賣卢盧卫衛厂廠厅廳厉厲"
    "压壓厌厭县縣参參双雙变變叙敘叶葉号號叹嘆吓嚇吕呂吗嗎听聽启啟吴吳员員呜嗚响響哑啞唤喚啸嘯团團园園围圍国國图圖"
    "圆圓圣聖场場坏壞块塊坚堅坝壩坟墳坠墜垄壟垒壘墙牆壮壯声聲壳殼处處备備够夠头頭夹夾夺奪奋奮奖獎妇婦妈媽娱娛"
    "婴嬰孙孫学學宁寧宝寶实實宠寵审審宪憲宫宮宽寬宾賓对對寻尋导導寿壽将將尔爾尘塵尝嘗层層届屆属屬岁歲岂豈岗崗岛島"
    "岭嶺峡峽币幣帅帥师師帐帳带帶帮幫库庫应應庙廟废廢开開异異弃棄张張弯彎弹彈强強归歸录錄彻徹径徑忆憶忧憂怀懷态態"
    "怜憐总總恋戀恒恆恳懇恶惡恼惱悬懸惊驚惧懼惨慘惩懲惯慣愤憤愿願战戰户戶扑撲执執扩擴扫掃扬揚扰擾抚撫抛拋抢搶护護"
    "报報担擔拟擬拥擁择擇挂掛挡擋挤擠挥揮损損换換据據掷擲掸撣摄攝摆擺摇搖撑撐敌敵数數断斷无無旧舊时時旷曠显顯晓曉"
    "晕暈暂暫术術机機杀殺杂雜权權条條来來杨楊极極构構枪槍柜櫃标標栈棧栋棟栏欄树樹样樣桥橋桩樁档檔梦夢检檢楼樓横橫"
    "欢歡欧歐毁毀毕畢气氣汉漢汤湯沟溝没沒泪淚泽澤洁潔浅淺测測济濟浓濃涛濤润潤涨漲渐漸渔漁温溫湾灣湿濕"
    "满滿滚滾滤濾滥濫灭滅灯燈灵靈灾災炉爐点點炼煉烂爛烟煙烦煩烧燒热熱爱愛爷爺牵牽状狀犹猶独獨狭狹猎獵环環现現玛瑪"
    "电電画畫畅暢疗療疯瘋盏盞盐鹽监監盖蓋盘盤眯瞇着著矫矯码碼砖磚础礎确確碍礙礼禮祸禍离離种種积積称稱稳穩穷窮窃竊"
    "竖豎竞競笔筆笼籠筑築简簡类類粮糧紧緊红紅级級纪紀纯純纸紙线線练練组組细細织織终終绍紹经經结結绕繞给給络絡"
    "绝絕统統继繼绩績续續维維绿綠缓緩编編缘緣缝縫缩縮网網罗羅罚罰职職联聯聪聰肃肅肠腸肤膚肾腎肿腫胀脹胜勝脑腦"
    "脚腳脸臉艺藝节節芦蘆苏蘇茧繭荐薦药藥营營萧蕭蓝藍虑慮虽雖虫蟲补補袜襪装裝见見观觀规規觉覺览覽触觸计計"
    "订訂认認讨討让讓训訓议議记記讲講许許论論设設访訪证證评評识識诉訴词詞试試诗詩诚誠话話询詢该該详詳语語误誤说說"
    "请請诸諸读讀课課谁誰调調谈談谊誼谢謝谨謹贝貝负負财財责責败敗货貨质質购購贯貫贴貼贵貴费費资資赏賞赔賠赖賴赛賽"
    "赞贊赢贏赵趙趋趨跃躍车車轨軌转轉轮輪软軟轻輕载載较較辅輔辆輛辈輩输輸边邊达達迁遷过過运運还還这這进進远遠违違"
    "连連迟遲适適选選递遞逻邏遗遺邓鄧邮郵邻鄰郑鄭酱醬释釋针針钉釘钢鋼钱錢铁鐵铜銅银銀铺鋪链鏈销銷锁鎖锅鍋错錯"
    "键鍵镇鎮镜鏡长長门門闪閃闭閉问問间間闹鬧闻聞阀閥阅閱队隊阳陽阴陰阵陣阶階际際陆陸陈陳险險随隨隐隱难難雾霧静靜"
    "页頁顶頂项項顺順须須顾顧顿頓预預领領频頻题題颜顏额額风風飞飛饭飯饮飲饰飾馆館马馬驱驅驶駛驾駕验驗骑騎骗騙鱼魚"
    "鲁魯鲜鮮鸟鳥鸡雞鸣鳴麦麥黄黃齐齊齿齒龙龍龟龜"
)  # fmt: skip
OTHER_SCRIPT: Mapping[str, str] = {
    one: other
    for first in range(0, len(_PAIRS), 2)
    for one, other in (tuple(_PAIRS[first : first + 2]), tuple(_PAIRS[first : first + 2])[::-1])
}
"""Simplified character → traditional one, and the reverse."""
SIMPLIFIED: Mapping[int, int] = str.maketrans(_PAIRS[1::2], _PAIRS[0::2])
"""Traditional character → simplified one, for ``str.translate``."""
