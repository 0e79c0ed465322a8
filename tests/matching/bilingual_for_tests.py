"""Twelve pilot scenarios, each in Chinese, in English, and in a Chinese paraphrase: written for these tests."""

PROBLEMS = {
    "spindle": (
        "铣床主轴在加工中突然损坏，造成整批工件报废，希望提前半天发出故障预警。",
        "Spindles of milling machines break during machining and whole batches are scrapped; warn half a day ahead.",
        "数控机床的主轴经常毫无征兆地失效，一坏就废掉很多零件，需要在故障发生之前给维修班组报警。",
    ),
    "weld": (
        "车身焊点质量靠人工敲击抽检，漏检率高，希望用焊接电流曲线判断虚焊。",
        "Spot welds of car bodies are tested by hand on samples; find cold welds from the welding current curve.",
        "白车身点焊虚焊难以发现，现在只能抽样敲检，想通过电流波形自动识别不合格焊点。",
    ),
    "sepsis": (
        "重症监护室患者脓毒症发现太晚，需要根据生命体征和化验结果提前六小时提示医生。",
        "Sepsis of intensive care patients is found too late; alert the doctor six hours ahead from vital signs.",
        "ICU 病人发生脓毒症时往往已经错过最佳治疗时间，希望综合体征与检验数据早期提醒值班医师。",
    ),
    "xray": (
        "基层医院缺少放射科医生，胸部 X 光片中的肺结节容易漏诊，需要辅助阅片。",
        "County hospitals lack radiologists and miss lung nodules on chest X-rays; assist in reading the films.",
        "县级医院拍完胸片没有专家看片，小的肺部结节常被遗漏，希望有阅片助手标出可疑位置。",
    ),
    "port": (
        "集装箱码头岸桥作业等待时间长，需要预测船舶到港时间以安排泊位。",
        "Quay cranes of a container terminal wait; predict when ships arrive so that berths can be assigned.",
        "港口泊位计划总被打乱，因为船舶到港时刻估计不准，造成岸桥空等，希望给出更准的到港预测。",
    ),
    "bus": (
        "公交线路高峰期客流忽高忽低，希望预测每站上车人数来调整发车间隔。",
        "Passenger flow on bus lines swings at rush hour; predict boardings per stop to adjust departures.",
        "早晚高峰公交车有的挤有的空，想提前知道各站乘客数量，从而优化发车班次。",
    ),
    "loan": (
        "小微企业贷款审批慢，缺少抵押，希望用流水和税务数据评估违约风险。",
        "Loans to small firms are approved slowly for want of collateral; assess default from cash flow and taxes.",
        "给小微企业放贷时没有抵押物可看，需要根据纳税与经营流水判断其是否会违约，加快审批。",
    ),
    "fraud": (
        "银行卡盗刷交易事后才发现，需要在交易授权的瞬间识别欺诈。",
        "Card fraud is found afterwards; recognise fraudulent transactions at the moment of authorisation.",
        "信用卡被盗刷后客户才来投诉，希望在授权交易时就实时识别并拦截欺诈行为。",
    ),
    "load": (
        "电网公司短期负荷预测在极端天气下误差大，影响机组调度。",
        "Short-term load forecasts of the grid err in extreme weather and disturb unit commitment.",
        "遇到高温寒潮等极端天气，次日用电负荷预测偏差明显，调度员难以安排发电机组。",
    ),
    "turbine": (
        "风电场叶片结冰导致停机，希望根据风速、功率和温度提前识别结冰。",
        "Blades of wind turbines ice up and stop the farm; recognise icing early from wind speed, power, temperature.",
        "冬季风机叶片覆冰会造成机组停运，想利用温度、风速与出力数据尽早发现结冰迹象。",
    ),
    "ticket": (
        "政务热线工单分派靠人工判断，错派率高，希望自动分类并转给对应部门。",
        "Tickets of the citizens' hotline are assigned by hand and often wrongly; classify and route them.",
        "市民热线的诉求由话务员手工转派，经常派错单位，希望根据内容自动识别应由哪个部门办理。",
    ),
    "pest": (
        "水稻病虫害发现晚，农药用量大，希望用手机照片识别病虫种类。",
        "Pests of rice are found late and too much pesticide is used; recognise the pest from a phone's photograph.",
        "稻田虫害往往成片后才发现，只好大量打药，想让农户用手机拍照就能辨认是哪种病虫。",
    ),
}
"""Name → (Chinese, English, Chinese paraphrase)."""
