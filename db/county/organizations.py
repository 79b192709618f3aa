"""The organizations of the demo county: the bureau, what each town has, the county's squads, courts and agencies."""

from dataclasses import dataclass
from uuid import UUID

from db.county.deterministic import Rows, identifier
from db.county.places import CHONGWEN, COUNTY, QINGQUAN, TOWNS, YANZHUANG

BUREAU = "冠县司法局"
SQUADS = ("冠县物业纠纷调解一队", "冠县物业纠纷调解二队")
PETITION_OFFICE = "冠县信访局"
HOTLINE_OFFICE = "冠县12345热线办公室"
HOUSING_DEPARTMENT = "冠县住房和城乡建设局"
COUNTY_GOVERNANCE = "冠县综治中心"
COURTS = {CHONGWEN: "冠县人民法院崇文法庭", QINGQUAN: "冠县人民法院清泉法庭"}
POLICE_TOWNS = (CHONGWEN, QINGQUAN, YANZHUANG, "371525101", "371525103")
GOVERNANCE_TOWNS = (CHONGWEN, QINGQUAN, YANZHUANG)


@dataclass(frozen=True)
class Organizations:
    """Identifiers by name, and by town where each town has one."""

    names: dict[UUID, str]

    def id(self, name: str) -> UUID:
        result = identifier("organization", name)
        if result not in self.names:
            raise KeyError(name)
        return result

    def committee(self, town: str) -> UUID:
        return self.id(f"{TOWNS[town]}人民调解委员会")

    def centre(self, town: str) -> UUID:
        return self.id(f"{TOWNS[town]}矛盾调解中心")

    def justice_office(self, town: str) -> UUID:
        return self.id(f"{TOWNS[town]}司法所")

    def police(self, town: str) -> UUID:
        """The station of the town, or the one of 清泉街道 for a town without."""
        return self.id(police_name(town if town in POLICE_TOWNS else QINGQUAN))

    def governance(self, town: str) -> UUID:
        return self.id(f"{TOWNS[town]}综治中心" if town in GOVERNANCE_TOWNS else COUNTY_GOVERNANCE)

    def court(self, town: str) -> UUID:
        return self.id(COURTS[CHONGWEN if town in (CHONGWEN, YANZHUANG) else QINGQUAN])

    def squad(self, town: str) -> UUID:
        """Squad one serves 崇文 and 烟庄 and every second town, squad two the others."""
        first = town in (CHONGWEN, YANZHUANG) or (town != QINGQUAN and int(town) % 2 == 0)
        return self.id(SQUADS[0 if first else 1])


def police_name(town: str) -> str:
    return f"冠县公安局{short_name(town)}派出所"


def short_name(town: str) -> str:
    """The form in a case number: 崇文 for 崇文街道, 贾镇 for 贾镇."""
    return TOWNS[town].removesuffix("街道")


def build(rows: Rows) -> Organizations:
    """Write all organizations, superiors before subordinates."""
    names: dict[UUID, str] = {}

    def organization(kind: str, name: str, area: str, parent: UUID | None = None, short: str | None = None) -> UUID:
        phone = f"0635-0001{len(names):03d}"
        result = rows.add(
            "organization", name, kind=kind, name=name, short_name=short, phone=phone, area_code=area, parent_id=parent
        )
        names[result] = name
        return result

    bureau = organization("BUREAU", BUREAU, COUNTY)
    for squad in SQUADS:
        organization("SQUAD", squad, COUNTY, bureau)
    organization("PETITION_OFFICE", PETITION_OFFICE, COUNTY)
    organization("HOTLINE_OFFICE", HOTLINE_OFFICE, COUNTY)
    organization("HOUSING_DEPARTMENT", HOUSING_DEPARTMENT, COUNTY)
    governance = organization("GOVERNANCE_CENTRE", COUNTY_GOVERNANCE, COUNTY)
    for court_town, court in COURTS.items():
        organization("COURT", court, court_town)
    for town, town_name in TOWNS.items():
        office = organization("JUSTICE_OFFICE", f"{town_name}司法所", town, bureau)
        organization("COMMITTEE", f"{town_name}人民调解委员会", town, office, short_name(town))
        organization("CENTRE", f"{town_name}矛盾调解中心", town, office)
    for town in GOVERNANCE_TOWNS:
        organization("GOVERNANCE_CENTRE", f"{TOWNS[town]}综治中心", town, governance)
    for town in POLICE_TOWNS:
        organization("POLICE_STATION", police_name(town), town)
    return Organizations(names)
