#!/usr/bin/env python3
"""Drives the library's test server with Google's published client: google-api-core's Operation over HTTP/JSON.

    python drive_embedded.py http://127.0.0.1:PORT

The start call of a script is POST v1/{script}:start; tests/python_client.rs defines the scripts. Prints one line per
check, and exits with status 1 at the first check that fails.
"""

import sys
import time

import requests
from google.api_core import exceptions, operation, operations_v1
from google.api_core.future import polling
from google.api_core.operations_v1.transports import OperationsRestTransport
from google.auth.credentials import AnonymousCredentials
from google.longrunning import operations_pb2
from google.protobuf import json_format, struct_pb2
from google.rpc import error_details_pb2

BASE = sys.argv[1]
POLLING = polling.DEFAULT_POLLING.with_delay(initial=0.01, maximum=0.05).with_timeout(10)


def start(script):
    reply = requests.post(f"{BASE}/v1/{script}:start", json={}, timeout=10)
    reply.raise_for_status()
    return json_format.Parse(reply.text, operations_pb2.Operation())


def client():
    transport = OperationsRestTransport(host=BASE, credentials=AnonymousCredentials())
    return operations_v1.AbstractOperationsClient(transport=transport)


def future(script, **types):
    return operation.from_gapic(start(script), CLIENT, types.pop("result_type", struct_pb2.Struct), polling=POLLING, **types)


def check(name, holds):
    print(("ok   " if holds else "FAIL ") + name, flush=True)
    if not holds:
        sys.exit(1)


CLIENT = client()

running = future("ok", metadata_type=struct_pb2.Struct)
check("a started operation runs", running.running() and not running.cancelled())
check("its metadata is a Struct", "percent" in running.metadata)
ended = []
running.add_done_callback(ended.append)
check("its result arrives", running.result(timeout=10)["value"] == "done")
deadline = time.monotonic() + 5
while not ended and time.monotonic() < deadline:
    time.sleep(0.01)
check("its callback is called", len(ended) == 1)
check("it is done and has no exception", running.done() and running.exception() is None)
check("what has ended is not cancelled", running.cancel() is False)
check("its message round-trips", operation.Operation.deserialize(running.operation.SerializeToString()) == running.operation)

failed = future("fail")
problem = failed.exception(timeout=10)
check("a failure is an exception of its code", isinstance(problem, exceptions.FailedPrecondition))
check("it says why", "no such bucket" in str(problem))
info = error_details_pb2.ErrorInfo()
check("its details are typed", problem.errors[0].details[0].Unpack(info) and info.reason == "BUCKET_MISSING")

endless = future("endless")
try:
    endless.result(timeout=0.1)
    check("a timeout is raised", False)
except Exception as error:  # its type depends on the version of google-api-core
    check("a timeout is raised", "imeout" in type(error).__name__ or "Timeout" in str(error))
check("cancel is asked for", endless.cancel() is True)
try:
    endless.result(timeout=10)
    check("a cancelled operation raises", False)
except exceptions.GoogleAPICallError as error:
    check("a cancelled operation raises", error.grpc_status_code is None or "cancel" in str(error).lower())
check("it is cancelled", endless.cancelled())

page = CLIENT.list_operations(name="projects/p", filter_="done=true", page_size=2)
names = [listed.name for listed in page]
check("every page is listed", running.operation.name in names and failed.operation.name in names)

CLIENT.delete_operation(name=running.operation.name)
try:
    CLIENT.get_operation(name=running.operation.name)
    check("what is deleted is not found", False)
except exceptions.NotFound:
    check("what is deleted is not found", True)
