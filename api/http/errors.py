"""What went wrong, formatted for the client: codes, Chinese sentences, status codes. It knows no request.

Nothing a caller put into a variable, and nothing an unexpected exception says, ever gets into a message.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from schema.refusal import Code, Refusal, TooCostly

Headers = tuple[tuple[bytes, bytes], ...]

ALLOW_POST: Headers = ((b"allow", b"POST"),)
ALLOW_BOTH: Headers = ((b"allow", b"GET, POST"),)
RETRY: Headers = ((b"retry-after", b"1"),)
BEARER: Headers = ((b"www-authenticate", b"Bearer"),)

INTERNAL_MESSAGE = "服务内部出错，已记录；请稍后重试，仍不行时把请求编号告诉管理员。"

_SUGGESTION = re.compile(r"\s*Did you mean [^?]*\?")
# What graphql-core repeats of a literal: the value that does not fit, or the token that was not expected.
_REPEATED = re.compile(
    r"(cannot represent [^:]*|Expected value of type [^,]*(?=, found)|found (?:String|BlockString|Int|Float)\b)(?::|, found:?)? .*",
    re.DOTALL,
)
_VARIABLE = re.compile(
    r"Variable '\$(\w{1,128})' has invalid (default )?value(?: at ([\w.\[\]]{1,200}))?: (.*)", re.DOTALL
)
# What graphql-core says of a wrong value, without the value: only names of the schema are taken over.
_REASONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Expected a? ?value of non-null type '([\w!\[\]]+)'"), "不能为空（类型 {}）"),
    (re.compile(r"Expected value of type '\w+' to include required field '(\w+)'"), "缺少必填项 {}"),
    (re.compile(r"Expected value of type '(\w+)' not to include unknown field"), "含有 {} 没有的字段"),
    (re.compile(r"(Int|Float|String|Boolean|ID) cannot represent"), "不是 {} 类型的值"),
    (re.compile(r"Enum '(\w+)' cannot represent"), "不是枚举 {} 的取值"),
    (re.compile(r"Value '.*' does not exist in '(\w+)' enum\.?", re.DOTALL), "不是枚举 {} 的取值"),
    (re.compile(r"Expected value of type '([\w!\[\]]+)'"), "不是 {} 类型的值"),
)
_LONGEST = 300


class Rejection(Exception):
    """The request never became an operation: an HTTP status, and one refusal to put into the body."""

    def __init__(self, status: int, refusal: Refusal, headers: Headers = ()) -> None:
        super().__init__(refusal.message)
        self.status = status
        self.refusal = refusal
        self.headers = headers


def reject(status: int, message: str, headers: Headers = ()) -> Rejection:
    """A request that is wrong as HTTP or as JSON."""
    return Rejection(status, Refusal(Code.BAD_USER_INPUT, message), headers)


def reject_busy(cost: int, limit: int) -> Rejection:
    """A request for which there is no room now, in bytes."""
    message = f"正在接收的请求正文共达 {cost} 字节，上限是 {limit} 字节；请稍后重试。"
    return Rejection(503, TooCostly(message, cost, limit), RETRY)


def internal_error() -> dict[str, Any]:
    """The GraphQL error of anything unexpected: one sentence, whatever happened."""
    return {"message": INTERNAL_MESSAGE, "extensions": {"code": str(Code.INTERNAL)}}


def document_error(error: GraphQLError) -> dict[str, Any]:
    """The GraphQL error of a document that does not parse or validate."""
    if isinstance(error, GraphQLSyntaxError):
        message = "查询语法有误：" + error.message.removeprefix("Syntax Error: ")
    else:
        message = "查询与接口定义不符：" + error.message
    formatted: dict[str, Any] = {"message": _cleaned(message)}
    if error.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations[:5]]
    formatted["extensions"] = {"code": str(Code.BAD_USER_INPUT)}
    return formatted


def exception_error(error: BaseException) -> dict[str, Any]:
    """The GraphQL error of an exception raised while a field was answered."""
    if isinstance(error, Refusal):
        return error.formatted()
    if isinstance(error, GraphQLError):
        cause = error.original_error
        if isinstance(cause, Refusal):
            formatted = cause.formatted()
        elif cause is not None or error.path:
            formatted = internal_error()
        else:
            formatted = {"message": without_values(error.message), "extensions": {"code": str(Code.BAD_USER_INPUT)}}
        if error.locations:
            formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations[:5]]
        if error.path:
            formatted["path"] = list(error.path)
        return formatted
    return internal_error()


def finish_errors(errors: Iterable[Mapping[str, Any]], request_id: str) -> list[dict[str, Any]]:
    """Errors as they leave: each with a code and the request id; those without a code are cleaned first."""
    finished = []
    for unfinished in errors:
        error = dict(unfinished)
        extensions = dict(error.get("extensions") or {})
        if "code" not in extensions:
            # SECURITY: an error without a code is the executor's own text. With a path it may speak of data and is
            # replaced; without one it speaks of variables, whose values are taken out.
            if error.get("path"):
                error["message"] = INTERNAL_MESSAGE
                extensions = {"code": str(Code.INTERNAL)}
            else:
                error["message"] = without_values(str(error.get("message", "")))
                extensions = {"code": str(Code.BAD_USER_INPUT)}
        extensions["requestId"] = request_id
        error["extensions"] = extensions
        finished.append(error)
    return finished


def without_values(message: str) -> str:
    """Say which variable is wrong and why, in Chinese, without a character of what the caller sent as its value."""
    matched = _VARIABLE.match(message)
    if matched is None:
        # SECURITY: an unknown wording may contain anything.
        return "变量的值不符合要求，请对照接口定义检查。"
    name, default, place, reason = matched.groups()
    where = f"变量 ${name}" + ("的默认值" if default else "") + (f"（位置 {place.lstrip('.')}）" if place else "")
    # Our own scalars explain themselves in Chinese; graphql-core's sentences all begin with a Latin letter.
    if reason and "\u4e00" <= reason[0] <= "\u9fff":
        return f"{where}：{reason[:_LONGEST]}"
    for pattern, sentence in _REASONS:
        if reason_matched := pattern.match(reason):
            return f"{where} {sentence.format(reason_matched.group(1))}。"
    return f"{where} 的值不符合要求。"


def status_of(code: str, strict: bool) -> int:
    """The status of a request that was refused as a whole. `strict`: the client takes graphql-response+json.

    For plain application/json GraphQL over HTTP asks for 200 once the request itself was well formed.
    """
    if code == Code.UNAUTHENTICATED:
        return 401
    if code == Code.INTERNAL:
        return 500
    return 400 if strict else 200


def _cleaned(message: str) -> str:
    message = _SUGGESTION.sub("", message)
    # SECURITY: a literal may be an ID number or a telephone; what was sent is not sent back, nor seen by those who store answers.
    message = _REPEATED.sub(r"\1。", message)
    return message if len(message) <= _LONGEST else message[:_LONGEST] + "…"
