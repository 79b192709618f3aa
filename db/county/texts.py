# ruff: noqa: E501 - sentences stay whole
"""The texts of the demo county's disputes: titles, facts and terms for each kind of property dispute.

Titles and public summaries name no person and no door; the facts may, as a mediator would write them down.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A term of an agreement: what one side undertakes. `paid`: the text holds {amount}."""

    kind: str
    by_applicant: bool
    text: str
    paid: bool = False


@dataclass(frozen=True)
class Matter:
    """One sub-category: the kinds of the parties, titles with their facts, and the usual terms of its agreement."""

    category: str
    applicant: str
    respondent: str
    titles: tuple[str, ...]
    facts: tuple[str, ...]
    terms: tuple[Term, ...]
    amounts: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if len(self.titles) != len(self.facts):
            raise ValueError(f"{self.titles[0]}: each title needs its facts")


_ARREARS = Term("PAY", True, "业主补缴物业费{amount}元", True)
_OWED = Term("PAY", False, "业主补缴物业费{amount}元", True)

MATTERS: dict[str, Matter] = {
    "P01": Matter(
        "PROPERTY", "COMPANY", "OWNER",
        ("门禁失修引发物业费拒交纠纷", "因服务质量不满拒交物业费纠纷", "车辆受损后停交物业费纠纷"),
        (
            "{compound}{building}号楼业主{owner}自{year}年起未交物业费，累计{amount}元。{owner}称单元门禁损坏半年无人维修，物业公司称已两次派工但业主家中无人。",
            "物业公司反映{owner}拖欠物业费{amount}元，多次上门催交未果。{owner}认为保洁只扫一层，楼道堆物无人清理，应当打折。",
            "{owner}以车辆在小区内被刮、物业不提供监控为由停交物业费，共欠{amount}元，双方在收费处发生争吵。",
        ),
        (_OWED, Term("SERVICE", True, "物业公司十五日内完成服务整改，修复公共设施，每周清扫楼道两次")), (600, 6800),
    ),
    "P02": Matter(
        "PROPERTY", "OWNER", "COMPANY",
        ("物业公司以欠费为由拒绝水卡充值纠纷", "停电催交物业费纠纷", "停暖催交费用纠纷"),
        (
            "{owner}到物业服务中心为水卡充值时被告知须先交清物业费{amount}元，否则不予办理，家中已无法正常生活。",
            "{compound}物业公司因{owner}欠交物业费{amount}元，停止为其电卡充值。{owner}家有老人，情绪激动，要求立即恢复。",
            "供暖期内{owner}家暖气阀门被锁，物业公司称须交清物业费{amount}元才开阀，家中有两名幼儿。",
        ),
        (_ARREARS, Term("RESTORE", False, "物业公司恢复正常供应，今后不以此方式催交费用")), (500, 4200),
    ),
    "P03": Matter(
        "PROPERTY", "OWNER", "COMPANY",
        ("装修押金退还纠纷", "电梯运行费加收争议", "预交物业费退费纠纷"),
        (
            "{owner}装修完工已{years}年，物业公司以外墙打孔为由不退押金{amount}元。",
            "{compound}物业公司自{year}年起每平方米加收一角电梯运行费，{owner}认为未经业主同意，要求退还{amount}元。",
            "{owner}卖房后要求退还预交的物业费{amount}元，物业公司称手续不全。",
        ),
        (Term("REFUND", False, "物业公司退还业主{amount}元", True),), (300, 5000),
    ),
    "P04": Matter(
        "PROPERTY", "OWNER", "COMPANY",
        ("空置房物业费减收纠纷", "收房后未入住物业费争议"),
        (
            "{owner}在外地务工，房屋空置{years}年，要求减收物业费；物业公司称业主未书面报备，应交{amount}元。",
            "{compound}{owner}收房后一直未装修入住，双方对空置期间物业费{amount}元如何计收意见不一。",
        ),
        (_ARREARS, Term("OTHER", False, "空置期间物业费按约定比例减收，业主入住前书面告知物业公司")), (800, 5200),
    ),
    "P05": Matter(
        "PROPERTY", "OWNER", "COMPANY",
        ("小区保洁不到位引发纠纷", "绿化带荒废引发服务质量纠纷", "门岗安保缺位引发纠纷"),
        (
            "{compound}{building}号楼业主{owner}等反映垃圾桶三天一清，夏季异味严重，物业公司称人手不足。",
            "{owner}反映{compound}绿化带草木枯死，被改种蔬菜，物业公司未制止，多名业主附议。",
            "{owner}称夜间门岗无人，外来车辆随意出入，要求物业公司按合同配足保安。",
        ),
        (Term("SERVICE", False, "物业公司增加保洁一人，垃圾日产日清，按月公示服务记录"), Term("APOLOGISE", False, "物业公司向业主当面致歉")),
    ),
    "P06": Matter(
        "PROPERTY", "OWNER", "COMPANY",
        ("电梯反复停运维修纠纷", "地下管网堵塞返水纠纷", "外墙脱落维修责任纠纷"),
        (
            "{compound}{building}号楼电梯一个月停运六次，{owner}家老人下楼就医困难，物业公司称须动用维修资金。",
            "{owner}家卫生间因主管道堵塞返水，地板泡坏，要求物业公司疏通并赔偿{amount}元。",
            "{compound}外墙瓷砖脱落砸坏{owner}空调外机，物业公司与业主对维修费{amount}元由谁承担有争议。",
        ),
        (Term("REPAIR", False, "物业公司十日内完成维修并由业主签字验收"), Term("PAY", False, "物业公司补偿业主损失{amount}元", True)), (300, 6000),
    ),
    "P07": Matter(
        "NEIGHBOUR", "OWNER", "OWNER",
        ("卫生间渗水邻里纠纷", "水管爆裂致楼下房屋受损纠纷"),
        (
            "{owner}家屋顶渗水发霉，怀疑楼上{other}家防水层破损，{other}称房屋已过保修期，不愿砸地检修。",
            "{compound}{building}号楼{other}家水管爆裂，水流入{owner}家，家具和墙面受损，损失约{amount}元。",
        ),
        (Term("REPAIR", False, "楼上住户十五日内重做卫生间防水"), Term("PAY", False, "楼上住户赔偿墙面和家具损失{amount}元", True)), (500, 9000),
    ),
    "P08": Matter(
        "PROPERTY", "OWNERS_COMMITTEE", "COMPANY",
        ("专项维修资金使用纠纷", "电梯大修动用维修资金争议"),
        (
            "{compound}业主委员会认为物业公司申请使用维修资金{amount}元未经业主表决，要求公开工程预算。",
            "{compound}两部电梯需大修，费用{amount}元，业主对是否动用专项维修资金意见不一，物业公司迟迟未组织表决。",
        ),
        (Term("OTHER", False, "物业公司十日内公示工程预算和三家报价，由业主委员会组织表决"),), (12000, 88000),
    ),
    "P09": Matter(
        "PROPERTY", "OWNERS_COMMITTEE", "COMPANY",
        ("电梯广告收益公示纠纷", "公共场地出租收益分配纠纷"),
        (
            "{compound}业主委员会要求公布{year}年以来电梯广告和快递柜收益，物业公司只提供了总数{amount}元。",
            "物业公司把{compound}门前空地租给商户摆摊，收益{amount}元未入共有账户，业主要求返还。",
        ),
        (Term("REFUND", False, "物业公司把公共收益{amount}元转入业主共有账户", True), Term("SERVICE", False, "物业公司每季度公示公共收益，不少于三十日")), (2000, 36000),
    ),
    "P10": Matter(
        "PROPERTY", "OWNER", "COMPANY",
        ("充电桩安装申请受阻纠纷", "地面车位分配纠纷", "消防通道停车引发纠纷"),
        (
            "{owner}购买新能源车后申请安装充电桩，物业公司以线路负荷不足为由不出具证明。",
            "{compound}地面车位改为按月租赁，{owner}认为收费{amount}元过高且分配不公，用车堵住出口。",
            "{owner}的车停在消防通道被锁，双方为解锁和挪车费{amount}元发生推搡。",
        ),
        (Term("OTHER", False, "物业公司七日内出具安装证明，施工由双方到场查验"), Term("OTHER", True, "业主不再占用出口和消防通道停车")), (100, 2400),
    ),
    "P11": Matter(
        "PROPERTY", "COMPANY", "OWNER",
        ("违规拆改墙体装修纠纷", "装修噪声扰民纠纷"),
        (
            "{owner}装修时拆除厨房与阳台之间的墙体，物业公司下达整改通知后仍继续施工。",
            "{owner}中午和晚上装修施工，邻居多次投诉，物业公司断开其施工出入登记，双方争执。",
        ),
        (Term("RESTORE", False, "业主十五日内恢复墙体，费用自理"), Term("REFUND", True, "物业公司验收后退还装修押金{amount}元", True)), (1000, 3000),
    ),
    "P12": Matter(
        "NEIGHBOUR", "OWNER", "OWNER",
        ("楼道堆放杂物纠纷", "电动车飞线充电纠纷", "露台搭建阳光房纠纷"),
        (
            "{other}在楼道堆放纸箱和旧家具，{owner}担心火灾，多次劝说无效，发生争吵。",
            "{other}从三楼拉线给电动车充电，{owner}报告物业公司后双方在群里互相指责。",
            "{other}在顶层露台搭建阳光房，{owner}认为遮挡采光且存在坠物危险。",
        ),
        (Term("RESTORE", False, "七日内自行清除堆物、拆除搭建，恢复原状"),),
    ),
    "P13": Matter(
        "NEIGHBOUR", "OWNER", "OWNER",
        ("楼上噪声扰民纠纷", "饲养犬只扰邻纠纷", "高空抛物引发邻里纠纷"),
        (
            "{owner}反映楼上{other}家孩子夜间跑跳，影响老人休息，上门沟通时发生口角。",
            "{other}饲养的大型犬在电梯内扑向{owner}家孩子，孩子受惊，{owner}要求道歉并赔偿{amount}元。",
            "{owner}的车顶被楼上扔下的饮料瓶砸坏，怀疑是{other}家孩子所为，修车费{amount}元。",
        ),
        (Term("APOLOGISE", False, "当面致歉，今后注意不影响邻居"), Term("PAY", False, "一次性补偿{amount}元", True)), (200, 3600),
    ),
    "P14": Matter(
        "DAMAGE", "OWNER", "COMPANY",
        ("业主在小区内摔伤赔偿纠纷", "电动车被盗赔偿纠纷", "小区内车辆受损赔偿纠纷"),
        (
            "{owner}在{compound}门厅因地面结冰摔伤，医药费{amount}元，认为物业公司未及时除冰。",
            "{owner}停在车棚的电动车被盗，价值{amount}元，监控当日未开，要求物业公司赔偿。",
            "{compound}枯树倒下砸坏{owner}车辆，维修费{amount}元，物业公司称系大风所致。",
        ),
        (Term("PAY", False, "物业公司补偿业主{amount}元，双方再无其他争议", True),), (800, 15000),
    ),
    "P15": Matter(
        "PROPERTY", "OWNER", "OWNERS_COMMITTEE",
        ("业主委员会换届选举纠纷", "业主要求公开业委会账目纠纷"),
        (
            "{owner}等业主认为{compound}业主委员会换届时表决票统计有误，要求重新核票。",
            "{owner}要求查阅业主委员会{year}年以来的账目和会议记录，业主委员会未答复。",
        ),
        (Term("OTHER", False, "业主委员会十日内提供账目和会议记录供业主查阅"),),
    ),
    "P16": Matter(
        "CONTRACT", "OWNERS_COMMITTEE", "COMPANY",
        ("解聘物业公司后资料移交纠纷", "物业公司提前退出交接纠纷"),
        (
            "{compound}业主大会决定不再续聘，物业公司以尚有欠费{amount}元未收为由不移交消防和电梯资料。",
            "合同期满后物业公司要求提前撤场，业主委员会认为未满九十日通知期，双方对交接时间有争议。",
        ),
        (Term("OTHER", False, "物业公司三十日内移交资料和设施，由街道见证"),), (20000, 120000),
    ),
    "P17": Matter(
        "CONTRACT", "OWNER", "DEVELOPER",
        ("开发遗留配套未交付纠纷", "交房面积与配套承诺不符纠纷"),
        (
            "{owner}等反映{compound}交付{years}年仍未通暖，开发单位称由物业公司负责，物业公司称未办理交接。",
            "开发单位承诺的儿童活动场地未建成，{owner}要求补建或补偿{amount}元。",
        ),
        (Term("SERVICE", False, "开发单位六十日内补建活动场地并移交物业公司管理"), Term("PAY", False, "开发单位补偿业主{amount}元", True)), (1000, 12000),
    ),
    "P18": Matter(
        "PROPERTY", "OWNER", "COMPANY",
        ("业主信息在群内泄露纠纷", "催费电话骚扰纠纷"),
        (
            "物业公司人员把含有{owner}姓名和欠费数额的名单发到业主群，{owner}要求删除并道歉。",
            "{owner}称一周内接到催费电话二十余次，影响工作，要求物业公司停止。",
        ),
        (Term("APOLOGISE", False, "物业公司删除名单并在群内致歉"), Term("OTHER", False, "物业公司今后只以书面方式催交")),
    ),
    "P19": Matter(
        "PROPERTY", "OWNER", "COMPANY",
        ("代收电费加价纠纷", "公摊水费损耗分摊纠纷"),
        (
            "{compound}物业公司代收电费每度加收五分，{owner}要求退还多收的{amount}元。",
            "{owner}对公摊水费损耗比例有异议，要求物业公司公布总表与分表读数并退还{amount}元。",
        ),
        (Term("REFUND", False, "物业公司退还多收费用{amount}元", True), Term("SERVICE", False, "物业公司按月公布总表与分表读数")), (100, 1800),
    ),
    "P99": Matter(
        "OTHER", "OWNER", "COMPANY",
        ("快递柜设置位置纠纷", "业主活动室使用纠纷"),
        (
            "{compound}快递柜设在{owner}窗下，夜间取件有噪声，{owner}要求移位。",
            "{compound}活动室被物业公司锁闭作仓库，{owner}等老年业主要求恢复开放。",
        ),
        (Term("OTHER", False, "物业公司十五日内完成移位或腾退，恢复使用"),),
    ),
}  # fmt: skip

PUBLIC_STAGE = {
    "REGISTERED": "已登记，等待受理。", "ACCEPTED": "已受理，正在联系双方。", "DECLINED": "不属人民调解受理范围，已告知办理途径。",
    "MEDIATING": "正在调解。", "AGREED": "双方达成协议。", "PERFORMING": "双方达成协议，正在履行。",
    "PERFORMED": "双方达成协议并已履行。", "UNPERFORMED": "双方达成协议，部分义务经权利人同意免除。", "CLOSED": "双方达成协议并已履行，回访正常。", "ARCHIVED": "双方达成协议并已履行，回访正常。",
    "FAILED": "未能达成一致，已告知仲裁、行政和诉讼途径。", "WITHDRAWN": "当事人自行和解，撤回申请。", "REFUSED": "一方明确不同意调解，已终止。",
}  # fmt: skip

OUTCOME = {
    "DECLINED": ("已由行政机关受理，不重复受理", "不属民事权益争议，已转主管部门", "不属本辖区，已告知向所在地申请"),
    "FAILED": ("分歧较大，终止调解并告知其他途径", "期满无延期合意，终止调解并告知其他途径"),
    "WITHDRAWN": ("双方自行和解，申请人撤回", "申请人表示另行协商，撤回申请"),
    "REFUSED": ("被申请人书面表示不同意调解", "被申请人两次明确拒绝调解"),
    "AGREED": ("达成协议，待履行",), "PERFORMING": ("达成协议，履行中",), "PERFORMED": ("协议已履行，已回访",),
    "UNPERFORMED": ("权利人同意免除其余款项",),
    "CLOSED": ("调解成功，履行完毕，回访正常，结案",), "ARCHIVED": ("调解成功，履行完毕，案卷已归档",),
}  # fmt: skip

SHARED_NOTES = (
    "已向双方口头告知人民调解的性质、原则和当事人的权利义务，双方同意调解。",
    "与物业公司项目负责人和业主共同到现场查看，双方对基本事实无异议，分歧在数额和期限。",
    "引用民法典关于物业服务合同的规定向双方说明，业主同意考虑分期，物业公司同意先整改服务。",
)
TEAM_NOTES = (
    "{applicant}情绪较急，建议由熟悉情况的网格员先上门，再约双方到调解室。",
    "{respondent}此前在别的小区有过类似做法，办案时注意留存书面材料。",
    "法律顾问意见：物业公司举证不足，主张全额较难得到支持，可从服务整改入手。",
    "与{applicant}通话二十分钟，其子女支持调解，可请其一并到场。",
)
CAUCUS_NOTES = (
    "{applicant}私下表示最低可接受七成，请勿向对方透露。",
    "{respondent}私下表示如对方道歉，可以当场了结。",
    "背对背沟通：{respondent}近期经营困难，希望分两次支付，暂不愿让对方知道。",
)
RECORDS = (
    "双方先后陈述。申请人主张：{demand}。被申请人称部分属实。调解员核对合同、收据和照片后，归纳争议焦点并分别劝导。{end}",
    "调解员宣读权利义务后，由申请人说明经过。双方围绕责任和数额发表意见，休会十分钟分别沟通后继续。{end}",
)
RECORD_ENDS = {
    "AGREED": "双方达成一致，当场签署协议。", "NOT_AGREED": "双方分歧较大，未达成一致。", "TO_CONTINUE": "约定各自考虑后再次调解。",
}  # fmt: skip
VISIT_REMARKS = (
    "电话回访，双方均表示协议已履行，目前关系正常。", "上门回访，{applicant}表示满意，楼道环境已有改善。",
    "回访物业公司项目部，整改记录齐全，业主未再投诉。", "业主表示问题已解决，希望物业公司继续保持。",
)  # fmt: skip
URGE_REMARKS = ("电话提醒履行期限，义务人表示尽快办理。", "上门督促，义务人说明资金困难，承诺月底前支付。")
EVIDENCE = {
    "PAY": ("收款收据第{number}号", "转账凭证，尾号{number}"), "REFUND": ("退款转账凭证，尾号{number}",),
    "REPAIR": ("维修验收单第{number}号",), "RESTORE": ("现场照片三张，编号{number}",), "SERVICE": ("整改前后照片，编号{number}",),
    "APOLOGISE": ("致歉现场记录第{number}号",), "OTHER": ("双方签字确认单第{number}号",),
}  # fmt: skip
REFERRAL_REASONS = {
    "INVITATION": "矛盾较复杂，邀请参加联动调解", "RISK_REPORT": "双方有肢体冲突苗头，按规定报告，请关注",
    "COURT_REFERRAL": "调解不成，当事人要求起诉，移送法庭", "CONFIRMATION": "双方共同申请司法确认",
    "LEAD": "物业企业以停止充值方式催交费用，涉嫌违反条例，移交线索", "TRANSFER": "属行业监管事项，转请办理并答复",
}  # fmt: skip
REFERRAL_REPLIES = {
    "INVITATION": "已派员参加，愿意配合后续工作。", "RISK_REPORT": "已安排社区民警走访双方，未发现进一步风险。",
    "COURT_REFERRAL": "已收到材料，正在审查立案。", "CONFIRMATION": "已收到申请材料。",
    "LEAD": "已约谈企业负责人并责令改正，企业已恢复办理。", "TRANSFER": "已受理，将在五个工作日内答复。",
}  # fmt: skip
