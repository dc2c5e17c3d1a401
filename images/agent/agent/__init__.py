"""The course's own programs inside the cluster: the prober and the recorder.

`service` is the HTTP server of both. The prober stands on `questions`, which reads what is asked,
on `connections`, and on one `ask_` module for each kind of question. The recorder stands on `tail`,
which follows the audit log, on `audit`, which reads an event, and on `record`, which keeps it; on
`labs`, which follows the labs' namespaces through `api` and `following` and keeps a `lab` for each,
its histories made by `changes`; and on `load`, whose requests `exchange` makes and `lines` keeps.
"""
