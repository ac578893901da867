#!/usr/bin/env python3
"""Serves google.longrunning.Operations with Google's own stubs, over gRPC and over HTTP/JSON. Loopback only.

    pip install grpcio==1.85.1 googleapis-common-protos==1.76.0 grpcio-status
    python longrunning_server.py --port 50051 --rest-port 50052

The name of an operation selects its script: [<parent>/]operations/<script>-<N>[-<id>]. The state depends only on the
number of polls, but for `lasts`; a Get is one poll, and so is every 50 ms of a Wait:

    ok         poll N: done, response = Any(Struct{value: id, polls: N})
    nometa     like ok, without metadata
    emptyresp  poll N: done, response = Any(Empty)
    empty      poll N: done, neither response nor error
    fail       poll N: done, FAILED_PRECONDITION with ErrorInfo and RetryInfo
    cancel     runs until Cancel; N polls after it: CANCELLED
    nocancel   Cancel is accepted, but the operation succeeds at poll N
    nosup      like ok, but Cancel, Delete and Wait are UNIMPLEMENTED
    flaky      polls before N: UNAVAILABLE with RetryInfo; poll N: done
    gone       from poll N on: NOT_FOUND
    lasts      N tenths of a second after it was created: done

An operation is created by its first Get, Wait, Cancel or Delete, or by the unary start call /lro.test.Starter/Start
(Struct{script, n, id} -> Operation).
"""

import argparse
import json
import re
import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import grpc
from google.longrunning import operations_pb2 as pb
from google.longrunning import operations_pb2_grpc as rpc
from google.protobuf import any_pb2, duration_pb2, empty_pb2, json_format, struct_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

NAME = re.compile(
    r"^(?:[\w.~/-]+/)?operations/"
    r"(ok|fail|cancel|nocancel|nosup|nometa|flaky|gone|lasts|empty|emptyresp)-(\d+)(?:-([\w.~-]+))?$"
)
# Seconds of a Wait that count as one poll.
POLL_OF_A_WAIT = 0.05


def pack(message):
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def struct(**fields):
    message = struct_pb2.Struct()
    message.update(fields)
    return message


def error_info(reason, **metadata):
    return pack(error_details_pb2.ErrorInfo(reason=reason, domain="lro.test", metadata=metadata))


def retry_info(**delay):
    return pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(**delay)))


class Fault(Exception):
    """A call that fails with a google.rpc.Status."""

    def __init__(self, code, message, *details):
        self.status = status_pb2.Status(code=code, message=message, details=details)


class Store:
    """All operations, by name."""

    def __init__(self):
        self.operations = {}
        self.deleted = set()
        # Reentrant: get, cancel and delete call other methods that take it. gRPC and HTTP threads share the store.
        self.lock = threading.RLock()

    def find(self, name):
        """Returns the operation with this name. Creates it if it is new."""
        match = NAME.match(name)
        if not match or name in self.deleted:
            raise Fault(code_pb2.NOT_FOUND, f"Operation {name!r} not found", error_info("OPERATION_NOT_FOUND", name=name))
        born = dict(name=name, script=match[1], n=int(match[2]), id=match[3] or "", polls=0, cancelled_at=None)
        born["ends"] = time.monotonic() + born["n"] / 10
        return self.operations.setdefault(name, born)

    def view(self, operation):
        """Returns the message that shows the operation at its number of polls."""
        polls, n, script = operation["polls"], operation["n"], operation["script"]
        cancelled_at = operation["cancelled_at"]
        message = pb.Operation(name=operation["name"])
        if script != "nometa":
            percent = min(100, 100 * polls // max(n, 1))
            metadata = struct(polls=polls, percent=percent, cancelRequested=cancelled_at is not None)
            message.metadata.CopyFrom(pack(metadata))
        if script == "cancel":
            message.done = cancelled_at is not None and polls - cancelled_at >= n
        elif script == "lasts":
            message.done = time.monotonic() >= operation["ends"]
        else:
            message.done = polls >= n
        if not message.done:
            return message
        if script == "fail":
            details = [error_info("SCRIPTED_FAILURE", polls=str(polls)), retry_info(seconds=1)]
            message.error.CopyFrom(Fault(code_pb2.FAILED_PRECONDITION, "scripted failure", *details).status)
        elif script == "cancel":
            message.error.CopyFrom(
                Fault(code_pb2.CANCELLED, "Operation was cancelled", error_info("CANCELLED_BY_CLIENT")).status
            )
        elif script == "emptyresp":
            message.response.CopyFrom(pack(empty_pb2.Empty()))
        elif script != "empty":
            message.response.CopyFrom(pack(struct(value=operation["id"], polls=n)))
        return message

    def get(self, name):
        """Counts one poll and returns the message after it."""
        with self.lock:
            operation = self.find(name)
            # A finished operation counts no more polls, so that its message stays the same.
            if not self.view(operation).done:
                operation["polls"] += 1
            if operation["script"] == "flaky" and operation["polls"] < operation["n"]:
                raise Fault(code_pb2.UNAVAILABLE, "try again", error_info("FLAKY"), retry_info(nanos=10_000_000))
            if operation["script"] == "gone" and operation["polls"] >= operation["n"]:
                raise Fault(code_pb2.NOT_FOUND, f"Operation {name!r} expired", error_info("OPERATION_EXPIRED"))
            return self.view(operation)

    def refuse_if_unsupported(self, name):
        if self.find(name)["script"] == "nosup":
            raise Fault(code_pb2.UNIMPLEMENTED, "not supported")

    def cancel(self, name):
        with self.lock:
            self.refuse_if_unsupported(name)
            operation = self.find(name)
            # The first Cancel counts: a second one must not delay the end.
            if operation["cancelled_at"] is None:
                operation["cancelled_at"] = operation["polls"]
            return empty_pb2.Empty()

    def delete(self, name):
        with self.lock:
            self.refuse_if_unsupported(name)
            self.find(name)
            self.operations.pop(name)
            self.deleted.add(name)
            return empty_pb2.Empty()

    def wait(self, name, timeout):
        self.refuse_if_unsupported(name)
        end = time.monotonic() + timeout
        while True:
            message = self.get(name)
            left = end - time.monotonic()
            if message.done or left <= 0:
                return message
            time.sleep(min(POLL_OF_A_WAIT, left))

    def list(self, condition, size, token):
        if condition not in ("", "done=true", "done=false"):
            raise Fault(code_pb2.INVALID_ARGUMENT, f"bad filter {condition!r}")
        with self.lock:
            views = [self.view(operation) for _, operation in sorted(self.operations.items())]
        matching = [view for view in views if not condition or view.done == (condition == "done=true")]
        start, size = int(token or 0), size or 100
        more = str(start + size) if start + size < len(matching) else ""
        return pb.ListOperationsResponse(operations=matching[start : start + size], next_page_token=more)


STORE = Store()


def unary(answer):
    """Makes a method of the servicer from a function of the request. A Fault becomes its status."""

    def method(_self, request, context):
        try:
            return answer(request)
        except Fault as fault:
            context.abort_with_status(rpc_status.to_status(fault.status))

    return method


def wait_seconds(request):
    return request.timeout.ToTimedelta().total_seconds() if request.HasField("timeout") else 10


class Operations(rpc.OperationsServicer):
    GetOperation = unary(lambda request: STORE.get(request.name))
    CancelOperation = unary(lambda request: STORE.cancel(request.name))
    DeleteOperation = unary(lambda request: STORE.delete(request.name))
    WaitOperation = unary(lambda request: STORE.wait(request.name, wait_seconds(request)))
    ListOperations = unary(lambda request: STORE.list(request.filter, request.page_size, request.page_token))


def start(request, _context):
    """The start call: creates the operation that the request describes, without a poll."""
    return STORE.view(STORE.find(f"operations/{request['script']}-{int(request['n'])}-{request['id']}"))


# The HTTP statuses that google/rpc/code.proto gives for the codes used here.
HTTP_STATUS = {
    code_pb2.CANCELLED: 499,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.NOT_FOUND: 404,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.UNAVAILABLE: 503,
}


class Rest(BaseHTTPRequestHandler):
    """Serves the google.api.http bindings of operations.proto. WaitOperation has none."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def route(self):
        url = urlparse(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        path = url.path.removeprefix("/v1/")
        name, _, verb = path.partition(":")
        if self.command == "GET" and (path == "operations" or path.endswith("/operations")):
            return STORE.list(query.get("filter", ""), int(query.get("pageSize", 0)), query.get("pageToken", ""))
        if self.command == "GET":
            return STORE.get(name)
        if self.command == "POST" and verb == "cancel":
            return STORE.cancel(name)
        if self.command == "DELETE":
            return STORE.delete(name)
        raise Fault(code_pb2.NOT_FOUND, "no such method")

    def answer(self):
        # The body is read even if it is not used: on a kept connection it would be taken for the next request.
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            code, body = 200, json_format.MessageToDict(self.route())
        except Fault as fault:
            status = fault.status
            code = HTTP_STATUS.get(status.code, 500)
            details = [json_format.MessageToDict(detail) for detail in status.details]
            name = code_pb2.Code.Name(status.code)
            body = {"error": {"code": code, "message": status.message, "status": name, "details": details}}
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rest-port", type=int, default=0)
    arguments = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(16))
    rpc.add_OperationsServicer_to_server(Operations(), server)
    starter = grpc.unary_unary_rpc_method_handler(start, struct_pb2.Struct.FromString, pb.Operation.SerializeToString)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("lro.test.Starter", {"Start": starter}),))
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    server.start()
    rest = ThreadingHTTPServer(("127.0.0.1", arguments.rest_port), Rest)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    print(f"grpc=127.0.0.1:{port} rest=127.0.0.1:{rest.server_port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
