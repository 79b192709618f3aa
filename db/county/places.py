"""The county's areas, compounds and companies. The codes of the county and its towns are real, all below is invented.

Communities, grids, compounds and companies carry made-up names and codes. No real one is meant.
"""

from dataclasses import dataclass
from uuid import UUID

from db.canonical.check_digits import credit_check, organization_check
from db.county.deterministic import Rows

COUNTY = "371525"
CHONGWEN, QINGQUAN, YANZHUANG = "371525002", "371525001", "371525003"
TOWNS = {
    QINGQUAN: "清泉街道", CHONGWEN: "崇文街道", YANZHUANG: "烟庄街道", "371525101": "贾镇", "371525102": "桑阿镇",
    "371525103": "柳林镇", "371525104": "清水镇", "371525105": "东古城镇", "371525106": "北馆陶镇",
    "371525107": "店子镇", "371525108": "定远寨镇", "371525109": "辛集镇", "371525110": "梁堂镇", "371525111": "范寨镇",
    "371525112": "甘官屯镇", "371525200": "斜店乡", "371525206": "兰沃乡", "371525209": "万善乡",
}  # fmt: skip

# Grids per community; a town that is not named has one community of two grids.
_GRIDS = {CHONGWEN: (3, 2, 2, 2), QINGQUAN: (2, 2, 2), YANZHUANG: (2, 2)}
_COMMUNITY_NAMES = (
    "和风 听雨 知春 暖阳 云帆 青禾 拾光 晨露 繁星 竹溪 麦浪 银杏 白鹭 桂影 松涛 荷语 棠棣 墨香 锦书 月桥 朝霞 "
    "蓝田 雁回 槐序"
).split()
_COMPOUND_NAMES = (
    "听松 揽月 沁芳 怡然 归燕 若谷 映雪 采薇 望舒 临溪 栖霞 流云 向晚 初晴 半亩 念园 疏影 含章 清晏 安澜 "
    "思齐 明德 乐居 丰禾 南浦 秋水 晴川 芳洲 玉簟 星垂 云岫 春和 景明 长乐 未央 嘉木 幽兰 修竹 碧梧 丹枫 "
    "紫藤 海棠 玉兰 丁香 蔷薇 木槿 芙蕖 茉莉 水云 石泉 松间 柳岸 桃源 杏雨 梨落 枣香 榆钱 葵园 麦香 稻花 "
    "谷雨 立夏 白露 霜降 小满 清明 惊蛰 春分"
).split()
_COMPOUND_KINDS = ("苑", "里", "庭", "园", "轩", "居")
_NUMERALS = "一二三四五六七八九"

COMPANIES = ("安居", "暖邻", "和家", "清风", "百顺", "同心", "晨光", "金穗")
DEVELOPER = "聊城示例筑梦置业有限公司"


@dataclass(frozen=True)
class Compound:
    """A residential compound, with what its disputes need of it."""

    id: UUID
    name: str
    town: str
    community: str
    grid: str
    company_id: UUID
    company: str
    credit_code: str
    company_phone: str


@dataclass(frozen=True)
class Places:
    """Names by area code, and the compounds."""

    names: dict[str, str]
    compounds: tuple[Compound, ...]

    def grids(self, town: str) -> list[str]:
        return [code for code in self.names if len(code) == 15 and code.startswith(town)]

    def communities(self, town: str) -> list[str]:
        return [code for code in self.names if len(code) == 12 and code.startswith(town)]

    def compounds_in(self, area: str) -> list[Compound]:
        return [compound for compound in self.compounds if compound.grid.startswith(area)]


def credit_code(number: int) -> str:
    """A well-formed code of a company that does not exist; the letters XNSL take the place of a real registration."""
    body = f"XN{number:06d}"
    head = f"91{COUNTY}{body}{organization_check(body)}"
    return head + credit_check(head)


def build(rows: Rows) -> Places:
    """Write areas, companies and compounds."""
    names: dict[str, str] = {}

    def area(code: str, name: str, level: str, parent: str | None) -> None:
        names[code] = name
        rows.add("area", code, code=code, name=name, level=level, parent_code=parent)

    area(COUNTY, "冠县", "COUNTY", None)
    for town, town_name in TOWNS.items():
        area(town, town_name, "TOWN", COUNTY)
    community_names = iter(_COMMUNITY_NAMES)
    # 崇文街道 first, so that the seed case's places do not move when other towns grow.
    for town in sorted(TOWNS, key=lambda code: (code != CHONGWEN, code)):
        for number, amount in enumerate(_GRIDS.get(town, (2,)), 1):
            community = f"{town}{number:03d}"
            name = f"{next(community_names)}社区"
            area(community, name, "COMMUNITY", town)
            for order in range(1, amount + 1):
                area(f"{community}{order:03d}", f"{name}第{_NUMERALS[order - 1]}网格", "GRID", community)

    companies: list[tuple[UUID, str, str, str]] = []
    for place, short in enumerate(COMPANIES, 1):
        full, code, phone = f"聊城示例{short}物业服务有限公司", credit_code(place), f"0635-0000{place:03d}"
        companies.append((rows.add("company", short, name=full, credit_code=code, phone=phone), full, code, phone))

    compounds: list[Compound] = []
    for grid in [code for code in names if len(code) == 15]:
        for _ in range(2 if grid[:9] in _GRIDS else 1):
            number = len(compounds)
            name = f"{_COMPOUND_NAMES[number]}{_COMPOUND_KINDS[number % len(_COMPOUND_KINDS)]}"
            company = companies[number % len(companies)]
            compound_id = rows.add(
                "compound",
                f"{grid}/{name}",
                name=name,
                address=f"冠县{TOWNS[grid[:9]]}示例路{number + 1}号",
                households=180 + number * 37 % 900,
                grid_code=grid,
                company_id=company[0],
            )
            compounds.append(Compound(compound_id, name, grid[:9], grid[:12], grid, *company))
    return Places(names, tuple(compounds))
