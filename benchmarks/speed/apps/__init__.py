"""Each workload as an application of each framework, in that framework's best form.

A module has a dict ``WSGI`` and a dict ``ASGI``, from the names of workloads to
functions that make an application. What a framework cannot do is not there.
"""
