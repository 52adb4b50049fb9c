"""Every way in which the gateway says no, as a table: what it says, under which status, and to what it belongs.

Codes and messages are those of the documents and of clients that wrote down what they met; where no source has the
message it is invented, and marked. Statuses other than 400 and 401 were not seen at this gateway.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

INVENTED: Final = "invented"
Form = Literal["gateway", "page", "empty", "service"]


class Row(msgspec.Struct, frozen=True):
    """One answer that is none of what was asked for."""

    name: str
    code: str
    message: str
    """`{id}` stands for the ID."""
    status: int = 400
    form: Form = "gateway"
    """Who speaks: the gateway in its envelope, a page of HTML, nobody, or the API's service in its own envelope."""
    charged: bool = False
    """The service was called before it: the package has one call less."""
    message_is: str = "documented"
    """Or invented."""


_EXCEPTION: Final = "com.alibaba.openapi.exception.request.RequestValidateException: "

ROWS: Final[dict[str, Row]] = {
    row.name: row
    for row in (
        Row("app-limit", "gw.QosAppFrequencyLimit", "App call exceeds limited frequency"),
        Row("api-limit", "gw.QosAPIFrequencyLimit", "API call exceeds limited frequency", message_is=INVENTED),
        Row("request-limit", "gw.QosRequestLimit", "Request exceeds limited frequency", message_is=INVENTED),
        Row("daily-limit", "gw.QosAppFrequencyLimit", "Beyond the app call frequency limit"),
        Row("token", "401", "Request need user authorized", 401),
        Row("no-token", "401", "Request need user authenticated", 401),
        Row("authorization", "401", "User authorization is required", 401),
        Row("signature-invalid", "gw.SignatureInvalid", "Invalid signature", message_is=INVENTED),
        Row("signature-missing", "gw.SignatureMissing", "Signature is missing", message_is=INVENTED),
        Row("app-key-missing", "gw.AppKeyMissing", "App key is missing in the url path", message_is=INVENTED),
        Row("app-key-not-found", "gw.AppKeyNotFound", "App key is not found", message_is=INVENTED),
        Row("app-key-invalid", "400", _EXCEPTION + "Invalid appKey, unsport appKey: xxx"),
        Row("api-unsupported", "gw.APIUnsupported", "unsupport api"),
        Row("acl", "gw.APIACLDecline", "AppKey is not allowed(acl)"),
        Row("no-usage", "gw.NoUsageLeftError", "SLA bill has no usage left"),
        Row("param-missing", "gw.ParamMissing", "Required argument offerId"),
        Row("param-invalid", "gw.ParamInvalid", "Invalid argument", message_is=INVENTED),
        Row("expired", "400", _EXCEPTION + "Request is expired."),
        Row("need-timestamp", "400", "API need time stamp verify, so request must has _aop_timestamp. "),
        Row("isp-timeout", "gw.ISPInvokeTimeout", "ISP invoke timeout", charged=True, message_is=INVENTED),
        Row("isp-error", "gw.ISPInvokeError", "ISP invoke error", charged=True, message_is=INVENTED),
        Row("isp-timeout-bare", "ISPInvokeTimeout", "ISP invoke timeout", charged=True, message_is=INVENTED),
        Row("unknown-code", "gw.SandboxUnheardOf", "A refusal that no document knows", message_is=INVENTED),
        Row("http-503", "", "", 503, "empty", charged=True),
        Row("http-502", "", "", 502, "page", charged=True),
        Row("empty-200", "", "", 200, "empty", charged=True),
        Row("page-200", "", "", 200, "page", charged=True),
        Row("absent", "", "商品[{id}]不存在", 200, "service", charged=True),
        Row("off-shelf", "", "商品[{id}]已下架", 200, "service", charged=True),
        Row("not-yours", "500", "不是自己的订单", 200, "service", charged=True),
        Row("unrelated", "", "no permission to query this product", 200, "service", charged=True),
    )
}
"""By name, as a rule asks for it."""
