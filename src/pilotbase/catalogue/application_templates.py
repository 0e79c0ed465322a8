"""What a new application's folder holds before anybody has written in it, each comment in English and Chinese."""

from __future__ import annotations

MANIFEST_TEMPLATE = """\
# What the application is · 应用说明
document: application/1
name: {name}   # short name, in addresses; cannot be changed later · 简称，用于网址，建立后不可更改
version: 0.1.0   # another number for each version · 每个版本用不同的版本号
title: {{en: {title_en}, zh: {title_zh}}}
supplier: {{organisation: {supplier}, contact: ""}}   # your short name · 贵单位简称
licence: Apache-2.0
scenario: {scenario}
{form}resources: {{memory: 256 MiB, threads: 1}}
model_card:
  summary: {{en: "Say in one sentence what it does.", zh: "用一句话说明它做什么。"}}
  # Until these three are filled in, the design section of the report says that the model card is incomplete.
  # 以下三项填写之前，报告的“设计”部分会注明模型卡不完整。
  # training_data: {{en: "Public sample of {scenario}.", zh: "{scenario} 的公开样本。"}}
  # limitations: {{en: "Where it must not be used.", zh: "不得用于何处。"}}
  # human_oversight: {{en: "Who decides when it abstains (answers None).", zh: "弃权（返回 None）时由谁决定。"}}
"""

PUBLIC_SAMPLE = {"sample_en": "the public sample, to train on", "sample_zh": "公开样本，可用于训练"}
SYNTHETIC_SAMPLE = {
    "sample_en": "a synthetic sample, to develop on: every record is made up, a figure measured on it proves nothing",
    "sample_zh": "合成样本，可用于开发：每条记录均为生成，在其上测得的指标不能说明任何结果",
}

_LOADED = "`numpy.load(io.BytesIO(base64.b64decode(cell)))`"
ARRAYS_IN_SAMPLE = {
    "sample_en": f"; an image or a sound in it is the base64 of a `.npy` file: {_LOADED}",
    "sample_zh": f"；其中图像和声音为 `.npy` 文件的 base64：{_LOADED}",
}

README_TEMPLATE = """\
# {title_zh} · {title_en}

## 中文

本文件夹是场景 `{scenario}` 的入门应用：始终给出同一答案。请把它改好：

1. {first_zh}
2. `application.yaml`：填写标题、版本和模型卡。
3. {needs_zh}
4. `{sample}`（位于本文件夹旁边）：{sample_zh}；请勿放入本文件夹。

改好之后：在平台上将本文件夹打包为 zip，“上传应用”，“发起预演”，看过报告再“正式提交”；
或在命令行运行 `pilotbase trial rehearse 场景文件夹 本文件夹`。预演不计次数。

## English

This folder is a first application for the scenario `{scenario}`: it always gives the same answer. Make it better:

1. {first_en}
2. `application.yaml`: title, version and model card.
3. {needs_en}
4. `{sample}` (beside this folder): {sample_en}; leave it out of this folder.

Then, on a hub: zip this folder, *Upload an application*, *Rehearse the application*, read the report,
*Submit the application*; or on the command line `pilotbase trial rehearse SCENARIO-FOLDER THIS-FOLDER`.
A rehearsal costs no attempt.
"""
