"""Signatures against the vector that the published Standard Webhooks libraries share."""

from __future__ import annotations

from eastflow.webhooks import signing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector() -> None:
    assert signing.signature(SECRET, ID, AT, BODY) == SIGNATURE


def test_each_secret_signs() -> None:
    other = signing.secret_from(bytes(32))
    assert other == "whsec_" + "A" * 43 + "="
    headers = signing.headers([other, SECRET], ID, AT, BODY)
    assert headers["webhook-id"] == ID
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"].split(" ")[1] == SIGNATURE
    assert len(headers["webhook-signature"].split(" ")) == 2
