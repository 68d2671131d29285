"""`/epcis/queries`: queries that are kept under a name, and what there is no subscription to."""


from flask import Response

from trace.capture import (
    answers,
    asked,
    described,
    errors,
    queries,
    services,
)
from trace.capture.paging import Resource, base, epcis, events_answer, loaded
from trace.epcis.asking import QueryFault
from village.people.access import requires, signed_in


@epcis.route("/queries")
class Queries(Resource):
    """Named queries."""

    @requires()
    @epcis.doc(**described.GET_QUERIES)
    def get(self) -> Response:
        """One's cooperative's queries, by name."""
        after, count = asked.token_told("queries"), asked.per_page()
        if after is not None and not isinstance(after, str):
            raise errors.bad_query(QueryFault("nextPageToken", "not a token that was given here"))
        found = queries.all_named(signed_in(), after or "", count + 1)
        further = asked.token_of(found[count - 1].name, "queries") if len(found) > count else None
        return answers.told([{"name": one.name, "query": one.query} for one in found[:count]], further)

    @requires(*services.CAPTURERS)
    @epcis.doc(**described.POST_QUERY)
    def post(self) -> Response:
        """Keep a query under a name."""
        row = queries.keep(signed_in(), loaded(asked.body_of_json()))
        headers = {"Location": f"{base()}/queries/{row.name}"}
        return answers.told({"name": row.name, "query": row.query}, status=201, headers=headers)


@epcis.route("/queries/<name>")
class OneQuery(Resource):
    """One named query."""

    @requires()
    @epcis.doc(**described.GET_QUERY)
    def get(self, name: str) -> Response:
        """What it asks."""
        row = queries.named(signed_in(), name)
        return answers.told({"name": row.name, "query": row.query})

    @requires(*services.CAPTURERS)
    @epcis.doc(**described.DELETE_QUERY)
    def delete(self, name: str) -> Response:
        """Take it away."""
        queries.forget(signed_in(), name)
        return Response(status=204)


@epcis.route("/queries/<name>/events")
class QueryEvents(Resource):
    """What a named query finds now: to be asked again and again."""

    @requires()
    @epcis.doc(**described.GET_RESULTS)
    def get(self, name: str) -> Response:
        """Events that it asks for; `GE_recordTime` in the address narrows them to what is new since then."""
        row = queries.named(signed_in(), name)
        told = {**row.query, **asked.parameters()}
        return events_answer(told, queries.read(told), name)


@epcis.route("/queries/<name>/subscriptions")
class Subscriptions(Resource):
    """Subscriptions, which are not offered."""

    @epcis.doc(**described.NOT_OFFERED)
    def get(self, name: str) -> Response:
        """Not offered."""
        raise errors.not_offered()

    @requires()
    @epcis.doc(**described.NOT_OFFERED)
    def post(self, name: str) -> Response:
        """Not offered."""
        raise errors.not_offered()


@epcis.route("/queries/<name>/subscriptions/<subscription_id>")
class OneSubscription(Resource):
    """One subscription, which is not offered."""

    @epcis.doc(**described.NOT_OFFERED)
    def get(self, name: str, subscription_id: str) -> Response:
        """Not offered."""
        raise errors.not_offered()

    @requires()
    @epcis.doc(**described.NOT_OFFERED)
    def delete(self, name: str, subscription_id: str) -> Response:
        """Not offered."""
        raise errors.not_offered()


def no_socket(name: str) -> Response:
    """A named query over a web socket: not offered."""
    raise errors.not_offered()


@epcis.route("/nextPageToken/<token>")
class Token(Resource):
    """A page's token, which is kept nowhere."""

    @requires()
    @epcis.doc(**described.DELETE_TOKEN)
    def delete(self, token: str) -> Response:
        """Nothing is kept that could be forgotten."""
        return Response(status=204)
