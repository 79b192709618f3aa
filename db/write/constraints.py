"""Database constraints that a race may break although the command checked: the user error for each. Others are errors of the service."""

from db.write.command import UserError

_USER_ERRORS: dict[str, UserError] = {
    "uq_dispute_source_organization_id_external_ref": UserError(
        "externalRef", "DUPLICATE", "该单号已经登记过，请勿重复登记。"
    ),
    "uq_assignment_lead": UserError("", "CONFLICT", "已有主持调解员，请刷新后重试。"),
    "uq_assignment_active": UserError("", "CONFLICT", "该调解员已在承办，请刷新后重试。"),
    "uq_inspection_day": UserError("happenedAt", "DUPLICATE", "这个网格当日已经登记过排查。"),
    "uq_team_active_grid": UserError("gridCode", "DUPLICATE", "该网格已有一支运行中的团队。"),
    "uq_team_member_active_role": UserError("", "CONFLICT", "团队中该角色已有在任成员，请刷新后重试。"),
    "team_complete": UserError("members", "TEAM_INCOMPLETE", "运行中的团队，四种角色须各有一名在任成员。"),
    "uq_escalation_waiting": UserError("", "CONFLICT", "已有待接收的移交，请刷新后重试。"),
    "dispute_archived": UserError("id", "ARCHIVED", "已归档的纠纷不能再变更。"),
    "agreement_effective": UserError("id", "NOT_EFFECTIVE", "书面协议须各方、调解员签名并加盖印章后生效。"),
    "appointment_administrator": UserError(
        "role", "EXCLUSIVE", "系统管理员、安全管理员、审计管理员三员分立，同一人同一时期只能担任其中一种一职。"
    ),
    "ck_policy_version_four_eyes": UserError("id", "OWN_DRAFT", "起草人不能批准自己起草的版本，请由他人批准。"),
    "uq_policy_version_live": UserError("id", "CONFLICT", "另有版本刚刚发布，请以现行版本为准重新起草。"),
    "obligation_proof": UserError("evidence", "NO_PROOF", "登记履行须有凭证或双方确认。"),
}


def user_error_of(constraint: str | None) -> UserError | None:
    """The user error that a violated constraint stands for, None if it is not the user's."""
    return _USER_ERRORS.get(constraint or "")
