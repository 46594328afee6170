"""Why the webhooks say no, in order of precedence: the first that applies is the one returned."""

from __future__ import annotations

from eastflow.kernel import RefusalCode


class WebhooksRefusal(RefusalCode):
    URL_MALFORMED = "webhooks.url_malformed"
    URL_NOT_HTTPS = "webhooks.url_not_https"
    URL_NOT_PUBLIC = "webhooks.url_not_public"
    FILTER_MALFORMED = "webhooks.filter_malformed"
    CURSOR_MALFORMED = "webhooks.cursor_malformed"
    ENDPOINT_NOT_FOUND = "webhooks.endpoint_not_found"
    ENDPOINT_DISABLED = "webhooks.endpoint_disabled"
