"""One side of a mutual TLS connection with Python's ssl module, as strict as it can be.

usage: tls-peer.py server DIRECTORY
       tls-peer.py client DIRECTORY PORT SERVER_NAME
The directory holds ca.crt and, unless this side has none, tls.crt and tls.key. The server prints its port, then one
line for each connection; it ends when its standard input does. The client prints one line. Lines are JSON.
"""

import json
import os
import socket
import ssl
import sys
import threading

TIMEOUT_SECONDS = 10


def context(purpose, directory):
    made = ssl.create_default_context(purpose, cafile=os.path.join(directory, "ca.crt"))
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    certificate = os.path.join(directory, "tls.crt")
    if os.path.exists(certificate):
        made.load_cert_chain(certificate, os.path.join(directory, "tls.key"))
    return made


def identity(connection):
    names = connection.getpeercert().get("subjectAltName", ())
    return [value for kind, value in names if kind == "URI"]


def say(**line):
    print(json.dumps(line), flush=True)


def greet(raw, server):
    raw.settimeout(TIMEOUT_SECONDS)
    try:
        with server.wrap_socket(raw, server_side=True) as connection:
            peer = identity(connection)
            # First, so that it is known here before the client has its answer and ends this server.
            say(greeted=peer)
            connection.sendall(("hello " + " ".join(peer)).encode())
    except (ssl.SSLError, OSError) as error:
        say(refused=type(error).__name__)


def serve(directory):
    server = context(ssl.Purpose.CLIENT_AUTH, directory)
    listener = socket.create_server(("127.0.0.1", 0))
    say(port=listener.getsockname()[1])
    # Nobody is left behind: the test holds the other end of standard input.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    while True:
        greet(listener.accept()[0], server)


def call(directory, port, server_name):
    client = context(ssl.Purpose.SERVER_AUTH, directory)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as raw:
            with client.wrap_socket(raw, server_hostname=server_name) as connection:
                answer = connection.recv(4096).decode()
                say(answer=answer, server=identity(connection)) if answer else say(refused="closed")
    except (ssl.SSLError, OSError) as error:
        say(refused=type(error).__name__)


if sys.argv[1] == "server":
    serve(sys.argv[2])
else:
    call(sys.argv[2], int(sys.argv[3]), sys.argv[4])
