"""Optional, for those who may change gunicorn's configuration: an access log that says whose request a line is.

Put the two settings into your gunicorn.conf.py, or start gunicorn with `-c profile/gunicorn_access_log.py`. Each line then
carries the X-Request-ID that the load sends, the time in the server and the worker, so that every request is joined to its line
for certain and its latency is split into time in the server and time outside it. Without it requests are joined by time,
path and status, and the report says with what certainty. Written for gunicorn 20 and newer. Before 21 it writes
no line of a request whose client, or proxy, went away before the answer: whether a worker had such a one is then not known.
"""

accesslog = "-"
access_log_format = (
    '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" '
    "request_id=%({x-request-id}i)s duration_us=%(D)s pid=%(p)s"
)
