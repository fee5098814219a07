"""Words by kind, and the tone of every character in modern Mandarin (1 and 2 are level 平, 3 and 4 are oblique 仄)."""

KINDS = {
    "number": "万里 千年 一夜 百年 三更 十里 五湖 四时 八方 双溪 几度 半山",
    "sky": "春风 明月 细雨 白云 秋霜 夜雪 晚霞 晓雾 寒星 旭日 暖阳 清露",
    "plant": "青松 绿柳 红杏 翠竹 碧草 黄菊 丹桂 腊梅 粉荷 紫藤 苍苔 幽兰 老树",
    "animal": "黄莺 紫燕 白鹭 老马 鸣蝉 飞雁 锦鲤 戏蝶 归鸦 睡鸥 野鹤 游鱼",
    "place": "小桥 古寺 江村 旧院 楼台 画阁 山城 茅舍 石门 远浦 荒园 草堂 西岭",
    "over": "吹 照 临 染 绕 映 拂 润 暖 醉",
    "moves": "过 入 归 出 离 寻 恋 守 望 访",
}
TONED = ("万4里3千1年2一1夜4百3三1更1十2五3湖2四4时2八1方1双1溪1几3度4半4山1春1风1明2月4细4雨3白2云2秋1霜1雪3晚3霞2晓3雾4寒2星1旭4日4"
         "暖3阳2清1露4青1松1绿4柳3红2杏4翠4竹2碧4草3黄2菊2丹1桂4腊4梅2粉3荷2紫3藤2苍1苔2幽1兰2老3树4莺1燕4鹭4马3鸣2蝉2飞1雁4锦3鲤3戏4"
         "蝶2归1鸦1睡4鸥1野3鹤4游2鱼2小3桥2古3寺4江1村1旧4院4楼2台2画4阁2城2茅2舍4石2门2远3浦3荒1园2堂2西1岭3吹1照4临2染3绕4映4拂2"
         "润4醉4过4入4出1离2寻2恋4守3望4访3")
TONE = {TONED[i]: int(TONED[i + 1]) for i in range(0, len(TONED), 2)}
KIND = {word: kind for kind, words in KINDS.items() for word in words.split()}


def is_level(character):
    """Whether a character's tone is level."""
    return TONE[character] <= 2
