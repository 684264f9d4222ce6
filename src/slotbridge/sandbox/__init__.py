"""Both APIs, served locally, faithful enough to develop, demonstrate and test against.

`World` holds a Bitrix24 portal and a ReserveKit account as plain models that answer requests without any
network; `app` and `server` put them on a loopback address.
"""
