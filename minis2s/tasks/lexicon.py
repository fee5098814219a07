"""The words of the task phrases: English with its forms, Chinese with its measure words.

Tables only, one line for each word; the grammar is in phrases.py.
"""
from typing import NamedTuple


class Subject(NamedTuple):
    en: str
    zh: str
    be: str = "is"          # am, is, are

    @property
    def third(self):        # takes -s: he reads
        return self.be == "is"


class Verb(NamedTuple):
    en: str
    third: str
    past: str
    ing: str
    zh: str
    nouns: str = ""         # what it can have as an object: keys of NOUNS, between commas
    places: str = ""        # where one does it: keys of PLACES, between commas
    few: bool = False       # of its objects one takes up to three, not ten


class Noun(NamedTuple):
    en: str                 # one: book, cup of tea
    many: str               # books, cups of tea
    bare: str               # without a count: books, tea
    zh: str
    measure: str            # 一本书: the word that Chinese puts between count and noun
    adjectives: str = ""    # those that make sense with it: keys of ADJECTIVES, between spaces

    @property
    def packed(self):       # counted by its container in English too
        return " of " in self.en


class Adjective(NamedTuple):
    en: str
    before: str             # before a noun: 新书, 便宜的书
    stem: str               # as a predicate: 很新, 不新; colours: 是白色的, 不是白色的
    colour: bool = False


class Count(NamedTuple):
    en: str
    zh: str


class Place(NamedTuple):
    preposition: str
    en: str
    zh: str                 # after 在: 在公园
    spot: str               # before 有: 公园里
    nouns: str = ""         # what there is: keys of NOUNS, between spaces


class Time(NamedTuple):
    en: str
    zh: str


class Phrase(NamedTuple):   # anything without forms
    en: str
    zh: str


SUBJECTS = [
    Subject("I", "我", "am"),
    Subject("you", "你", "are"),
    Subject("he", "他"),
    Subject("she", "她"),
    Subject("we", "我们", "are"),
    Subject("they", "他们", "are"),
    Subject("my father", "我爸爸"),                 # family: no 的
    Subject("her mother", "她妈妈"),
    Subject("my older brother", "我哥哥"),
    Subject("his younger sister", "他妹妹"),
    Subject("our teacher", "我们的老师"),           # others: 的
    Subject("his friend", "他的朋友"),
    Subject("my friends", "我的朋友们", "are"),     # 们 marks the plural of people who are spoken of
    Subject("the students", "学生们", "are"),
]

OWNERS = [
    Phrase("my", "我的"),
    Phrase("your", "你的"),
    Phrase("his", "他的"),
    Phrase("her", "她的"),
    Phrase("our", "我们的"),
    Phrase("their", "他们的"),
    Phrase("my father's", "我爸爸的"),
    Phrase("her mother's", "她妈妈的"),
    Phrase("our teacher's", "我们老师的"),          # one 的 is enough
    Phrase("his friend's", "他朋友的"),
]

ADJECTIVES = {a.en: a for a in (
    Adjective("new", "新", "新"),
    Adjective("old", "旧", "旧"),
    Adjective("big", "大", "大"),
    Adjective("small", "小", "小"),
    Adjective("white", "白", "是白色的", True),
    Adjective("black", "黑", "是黑色的", True),
    Adjective("red", "红", "是红色的", True),
    Adjective("expensive", "很贵的", "贵"),
    Adjective("cheap", "便宜的", "便宜"),
    Adjective("beautiful", "漂亮的", "漂亮"),
)}

_CLOTHES = "new old white black red expensive cheap beautiful"
NOUNS = {n.en: n for n in (
    Noun("book", "books", "books", "书", "本", "new old expensive cheap"),
    Noun("newspaper", "newspapers", "newspapers", "报纸", "份", "new old"),
    Noun("magazine", "magazines", "magazines", "杂志", "本", "new old expensive cheap"),
    Noun("novel", "novels", "novels", "小说", "本", "new old"),
    Noun("letter", "letters", "letters", "信", "封"),
    Noun("map", "maps", "maps", "地图", "张", "new old big small"),
    Noun("computer", "computers", "computers", "电脑", "台", "new old small expensive cheap"),
    Noun("bicycle", "bicycles", "bicycles", "自行车", "辆", "new old expensive cheap beautiful"),
    Noun("car", "cars", "cars", "汽车", "辆", "new old small expensive cheap beautiful"),
    Noun("umbrella", "umbrellas", "umbrellas", "雨伞", "把", "new old big small black red cheap"),
    Noun("chair", "chairs", "chairs", "椅子", "把", "new old big small expensive cheap"),
    Noun("table", "tables", "tables", "桌子", "张", "new old big small expensive cheap"),
    Noun("cup", "cups", "cups", "杯子", "个", "new old big small white red beautiful"),
    Noun("house", "houses", "houses", "房子", "栋", "new old big small white expensive beautiful"),
    Noun("shirt", "shirts", "shirts", "衬衫", "件", _CLOTHES),
    Noun("coat", "coats", "coats", "大衣", "件", _CLOTHES),
    Noun("hat", "hats", "hats", "帽子", "顶", _CLOTHES),
    Noun("pair of pants", "pairs of pants", "pants", "裤子", "条", _CLOTHES),
    Noun("pair of shoes", "pairs of shoes", "shoes", "鞋子", "双", _CLOTHES),
    Noun("apple", "apples", "apples", "苹果", "个", "big small red expensive cheap"),
    Noun("orange", "oranges", "oranges", "橙子", "个", "big small expensive cheap"),
    Noun("banana", "bananas", "bananas", "香蕉", "根", "big small"),
    Noun("egg", "eggs", "eggs", "鸡蛋", "个", "big small white"),
    Noun("bowl of rice", "bowls of rice", "rice", "米饭", "碗"),
    Noun("bowl of noodles", "bowls of noodles", "noodles", "面条", "碗"),
    Noun("cup of tea", "cups of tea", "tea", "茶", "杯"),
    Noun("cup of coffee", "cups of coffee", "coffee", "咖啡", "杯"),
    Noun("glass of water", "glasses of water", "water", "水", "杯"),
    Noun("glass of milk", "glasses of milk", "milk", "牛奶", "杯"),
    Noun("bottle of beer", "bottles of beer", "beer", "啤酒", "瓶"),
    Noun("cat", "cats", "cats", "猫", "只", "big small white black beautiful"),
    Noun("dog", "dogs", "dogs", "狗", "只", "big small white black"),
    Noun("bird", "birds", "birds", "鸟", "只", "big small white black beautiful"),
    Noun("horse", "horses", "horses", "马", "匹", "big small white black beautiful"),
    Noun("fish", "fish", "fish", "鱼", "条", "big small black red beautiful"),
    Noun("flower", "flowers", "flowers", "花", "朵", "big small white red beautiful"),
    Noun("tree", "trees", "trees", "树", "棵", "big small beautiful"),
    Noun("child", "children", "children", "孩子", "个"),
    Noun("student", "students", "students", "学生", "个"),
    Noun("person", "people", "people", "人", "个"),
)}

COUNTS = [
    Count("a", "一"),
    Count("two", "两"),                             # 两 before a measure word, but 十二 inside a number
    Count("three", "三"),
    Count("ten", "十"),
    Count("twelve", "十二"),
    Count("many", "很多"),                          # no measure word
]

PLACES = {p.en: p for p in (
    Place("at", "home", "家", "家里", "book computer chair table cat dog cup"),
    Place("at", "school", "学校", "学校里", "student child computer tree flower chair"),
    Place("in", "the library", "图书馆", "图书馆里", "book newspaper magazine novel map computer student chair"),
    Place("in", "the park", "公园", "公园里", "person child student dog bird tree flower bicycle horse"),
    Place("at", "the station", "车站", "车站里", "person child student dog car bicycle chair"),
    Place("in", "the store", "商店", "商店里", "person umbrella shirt coat hat bicycle computer chair cup table"),
    Place("at", "the market", "市场", "市场里", "person fish flower apple orange egg horse dog"),
    Place("in", "the restaurant", "饭馆", "饭馆里", "person child table chair fish cat"),
    Place("in", "the hospital", "医院", "医院里", "person child computer chair flower"),
    Place("in", "Beijing", "北京", "北京"),
    Place("in", "Shanghai", "上海", "上海"),
    Place("on", "the table", "桌子", "桌子上",
          "book newspaper magazine letter map umbrella cup hat apple orange egg cat flower"),
    Place("in", "the room", "房间", "房间里",
          "person child student book computer chair table umbrella cat dog bird"),
    Place("under", "the tree", "树", "树下", "person child dog cat bicycle chair horse flower"),
)}

PAST = [Time("yesterday", "昨天"), Time("this morning", "今天早上"), Time("last night", "昨天晚上"),
        Time("last week", "上个星期"), Time("last Monday", "上个星期一")]
HABIT = [Time("every day", "每天"), Time("every morning", "每天早上"), Time("every evening", "每天晚上"),
         Time("every week", "每个星期")]
FUTURE = [Time("tomorrow", "明天"), Time("tonight", "今天晚上"), Time("next week", "下个星期"),
          Time("next Monday", "下个星期一")]

VERBS = [
    Verb("read", "reads", "read", "reading", "看", "book,newspaper,magazine,novel,letter",
         "home,school,the library,the park", True),
    Verb("write", "writes", "wrote", "writing", "写", "letter,book,novel", "home,school,the library", True),
    Verb("buy", "buys", "bought", "buying", "买",
         "book,newspaper,magazine,novel,map,computer,bicycle,car,umbrella,chair,table,cup,shirt,coat,hat,"
         "pair of pants,pair of shoes,apple,orange,banana,egg,bowl of noodles,cup of tea,"
         "cup of coffee,bottle of beer,cat,dog,horse,fish,flower",
         "the store,the market,Beijing,Shanghai"),
    Verb("sell", "sells", "sold", "selling", "卖",
         "book,newspaper,computer,bicycle,car,umbrella,hat,shirt,apple,orange,egg,horse,fish,flower",
         "the store,the market,Beijing,Shanghai"),
    Verb("borrow", "borrows", "borrowed", "borrowing", "借", "book,magazine,novel,map",
         "school,the library", True),
    Verb("eat", "eats", "ate", "eating", "吃", "apple,orange,banana,egg,bowl of rice,bowl of noodles,fish",
         "home,school,the restaurant,the park", True),
    Verb("drink", "drinks", "drank", "drinking", "喝",
         "cup of tea,cup of coffee,glass of water,glass of milk,bottle of beer",
         "home,the restaurant,the park", True),
    Verb("draw", "draws", "drew", "drawing", "画", "cat,dog,bird,horse,fish,flower,tree,house,map",
         "home,school,the park"),
    Verb("wash", "washes", "washed", "washing", "洗", "shirt,coat,hat,pair of pants,cup,apple,car",
         "home", True),
]
SEE = Verb("see", "sees", "saw", "seeing", "看见",
           "cat,dog,bird,horse,flower,tree,house,car,child,student,person",
           "the park,the station,Beijing,Shanghai")
HAVE = Verb("have", "has", "had", "having", "有",
            "book,newspaper,magazine,novel,map,computer,bicycle,car,umbrella,chair,table,cup,house,shirt,"
            "coat,hat,apple,orange,egg,cat,dog,bird,horse,fish")
WEAR = Verb("wear", "wears", "wore", "wearing", "穿",        # a hat: 戴
            "shirt,coat,hat,pair of pants,pair of shoes")
GO = Verb("go", "goes", "went", "going", "去",
          places="school,the library,the park,the station,the store,the market,"
                "the restaurant,the hospital,Beijing,Shanghai")
ACTIVITIES = [
    Verb("work", "works", "worked", "working", "工作",
         places="home,school,the library,the station,the store,the market,"
                "the restaurant,the hospital,Beijing,Shanghai"),
    Verb("study", "studies", "studied", "studying", "学习", places="home,school,the library,Beijing,Shanghai"),
    Verb("exercise", "exercises", "exercised", "exercising", "锻炼身体", places="home,school,the park"),
]

VEHICLES = [Phrase("by train", "坐火车"), Phrase("by plane", "坐飞机"), Phrase("by bus", "坐公共汽车"),
            Phrase("by car", "开车"), Phrase("by bicycle", "骑自行车")]
SKILLS = [Phrase("swim", "游泳"), Phrase("drive", "开车"), Phrase("cook", "做饭"), Phrase("sing", "唱歌"),
          Phrase("dance", "跳舞"), Phrase("speak Chinese", "说中文"), Phrase("speak English", "说英文"),
          Phrase("ride a bicycle", "骑自行车"), Phrase("play the piano", "弹钢琴"), Phrase("play chess", "下棋")]
JOBS = [Noun("doctor", "doctors", "doctors", "医生", "个"), Noun("nurse", "nurses", "nurses", "护士", "个"),
        Noun("teacher", "teachers", "teachers", "老师", "个"), Noun("driver", "drivers", "drivers", "司机", "个"),
        Noun("farmer", "farmers", "farmers", "农民", "个"), Noun("singer", "singers", "singers", "歌手", "个"),
        Noun("actor", "actors", "actors", "演员", "个"), Noun("engineer", "engineers", "engineers", "工程师", "个")]
