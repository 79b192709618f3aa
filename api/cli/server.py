"""A socket and the server on it, for `serve` and `demo`. It knows nothing of what is served."""

import errno
import socket
from typing import Any

from api.settings import Settings

_GRACE_SECONDS = 10


class CannotServe(Exception):
    """Nothing can be served this way; the message (Chinese) says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow or lasting is done. Raises CannotServe."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise CannotServe(f"SANLIAN_HOST 不是本机的地址：{host}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)  # only a socket that listens keeps a second one from taking the port
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(f"端口 {port} 已被占用，请停掉占用它的程序，或换一个端口。") from None
        if error.errno == errno.EACCES:
            raise CannotServe(f"没有权限监听端口 {port}，请换一个 1024 以上的端口。") from None
        raise CannotServe(f"无法监听 {host}:{port}：{error.strerror}") from None
    listener.set_inheritable(True)
    return listener


def serve_forever(application: Any, settings: Settings, listener: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM; with several workers, `application` is the import path of a factory."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    config = uvicorn.Config(
        application,
        factory=isinstance(application, str),
        workers=settings.workers if isinstance(application, str) else 1,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_level=settings.log_level,
        # SECURITY: a query in an address would end up in the access log, with whatever a client wrote into it.
        access_log=False,
        server_header=False,
        # The service asks nothing of the address that a request comes from.
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    try:
        if isinstance(application, str):
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # the server has finished in order and passes the signal on
