#!/usr/bin/env python3
"""Serves google.cloud.workflows.v1.Workflows and google.longrunning.Operations with Google's own types, over gRPC and over
HTTP/JSON, for a client that was generated from Google's protos. Loopback only.

Every operation is done at its second poll. A call without what the description asks for is refused: over gRPC the
routing header, over HTTP the query parameter.
"""

import json
import re
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlparse

import grpc
from google.cloud.workflows_v1.types import workflows
from google.longrunning import operations_pb2 as pb
from google.longrunning import operations_pb2_grpc as rpc
from google.protobuf import any_pb2, empty_pb2, json_format

POLLS = {}
ENDS = {}
LOCK = threading.Lock()


def pack(message):
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def started(parent, response, target):
    """Starts an operation that ends with this response."""
    metadata = workflows.OperationMetadata(target=target, verb="run", api_version="v1")
    with LOCK:
        name = f"{parent}/operations/{len(POLLS)}"
        POLLS[name], ENDS[name] = 0, (pack(response), pack(workflows.OperationMetadata.pb(metadata)))
    return view(name)


def view(name):
    response, metadata = ENDS[name]
    operation = pb.Operation(name=name, metadata=metadata, done=POLLS[name] >= 2)
    if operation.done:
        operation.response.CopyFrom(response)
    return operation


def polled(name):
    with LOCK:
        POLLS[name] += 1
    return view(name)


def create(parent, workflow_id, workflow):
    workflow.name = f"{parent}/workflows/{workflow_id}"
    workflow.state = workflows.Workflow.State.ACTIVE
    return started(parent, workflows.Workflow.pb(workflow), workflow.name)


def update(workflow):
    workflow.revision_id = "000002-abc"
    return started(workflow.name.rsplit("/", 2)[0], workflows.Workflow.pb(workflow), workflow.name)


def delete(name):
    return started(name.rsplit("/", 2)[0], empty_pb2.Empty(), name)


def routed(key, value, context):
    """Refuses a call without its routing header."""
    headers = dict(context.invocation_metadata())
    found = parse_qs(headers.get("x-goog-request-params", ""))
    if found != {key: [value]}:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"routing: expected {key}={value}, found {found}")


def grpc_create(request, context):
    routed("parent", request.parent, context)
    return create(request.parent, request.workflow_id, request.workflow)


def grpc_update(request, context):
    routed("workflow.name", request.workflow.name, context)
    return update(request.workflow)


def grpc_delete(request, context):
    routed("name", request.name, context)
    return delete(request.name)


def handler(answer, request):
    return grpc.unary_unary_rpc_method_handler(answer, request.deserialize, pb.Operation.SerializeToString)


class Operations(rpc.OperationsServicer):
    def GetOperation(self, request, context):
        return polled(request.name)


class Rest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def route(self, body):
        url = urlparse(self.path)
        path = unquote(url.path).removeprefix("/v1/")
        query = parse_qs(url.query)
        if self.command == "GET":
            return polled(path)
        if self.command == "POST":
            assert re.fullmatch("projects/[^/]+/locations/[^/]+/workflows", path), path
            return create(path.removesuffix("/workflows"), query["workflowId"][0], workflows.Workflow.from_json(body))
        if self.command == "PATCH":
            assert query["updateMask"] == ["description"], query
            workflow = workflows.Workflow.from_json(body)
            workflow.name = path
            return update(workflow)
        return delete(path)

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            code, answer = 200, json_format.MessageToDict(self.route(body))
        except (AssertionError, KeyError, json_format.ParseError) as error:
            code, answer = 400, {"error": {"code": 400, "message": repr(error), "status": "INVALID_ARGUMENT"}}
        text = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = answer


def main():
    server = grpc.server(futures.ThreadPoolExecutor(8))
    rpc.add_OperationsServicer_to_server(Operations(), server)
    methods = {
        "CreateWorkflow": handler(grpc_create, workflows.CreateWorkflowRequest),
        "UpdateWorkflow": handler(grpc_update, workflows.UpdateWorkflowRequest),
        "DeleteWorkflow": handler(grpc_delete, workflows.DeleteWorkflowRequest),
    }
    service = "google.cloud.workflows.v1.Workflows"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    rest = ThreadingHTTPServer(("127.0.0.1", 0), Rest)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    print(f"grpc=127.0.0.1:{port} rest=127.0.0.1:{rest.server_port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
