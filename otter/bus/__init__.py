"""
Notices, jobs and results on their way between the roles; in-process, or AMQP in a later issue.
"""
