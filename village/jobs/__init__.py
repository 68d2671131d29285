"""Work that somebody waits for, done outside of the request.

A room declares a kind of job, once, where its module is imported:

    @kind("labels.sheet", name=_l("In tem"), where=lambda job: url_for("labels.sheet", sheet_id=job.result["sheet"]))
    def print_sheet(work: Work) -> dict[str, Any]:
        for number, lot in enumerate(work.args["lots"]):
            ...                                # each step safe to be done again
            work.progress(number + 1, len(work.args["lots"]))
        return {"sheet": …}

A service asks for one in the same transaction as whatever it belongs to, and the page shows its progress:

    with write() as session:
        job = ask(session, "labels.sheet", who, {"lots": […]})
    return redirect(url_for("jobs.one", job_id=job.id))

What is promised: a job whose asking committed is run, though web server and worker be killed at any moment. So it may
be run more than once, one after the other and, if a worker falls silent for `STALE`, even at once; the work itself must
be such that doing it again changes nothing. The row in `job` is the truth; the queue (huey) only tells a worker sooner.
"""
