"""`python -m local.sandbox --directory DIR`: both simulators over TLS, the identity endpoint and the control plane, until SIGTERM.

Prints one line `Sandbox ready {…}` with every address a client needs. DIR gets the certificate bundle `ca.pem`.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from aiohttp import web

from local.sandbox.control import ControlPlane
from local.sandbox.http import SettableClock
from local.sandbox.identity import Identity
from local.sandbox.server import SandboxServer
from local.sandbox.tls import make_authority
from local.sandbox.world import World


async def serve(directory: Path, seed: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    clock, identity, authority = SettableClock(), Identity(), make_authority(directory)
    world = World(clock, seed, accept_token=identity.accepts)
    server = SandboxServer(world.services, authority.context, clock)
    await server.start()
    identity.audience = server.origins["graph"]
    plane = web.AppRunner(ControlPlane(world.faults, world.services, clock, identity).application(), access_log=None)
    await plane.setup()
    await web.TCPSite(plane, "127.0.0.1", 0).start()
    control = f"http://127.0.0.1:{plane.addresses[0][1]}"
    addresses = {
        **server.origins,
        "control": control,
        "identity": control + "/identity/token",
        "identity_header": identity.secret,
        "ca": str(authority.bundle),
    }
    print("Sandbox ready", json.dumps(addresses), flush=True)
    ticking = asyncio.create_task(_tick(world))
    await stopping.wait()
    ticking.cancel()
    await server.stop()
    await plane.cleanup()


async def _tick(world: World) -> None:
    """Late effects arrive although nobody asks anything."""
    while True:
        await asyncio.sleep(1)
        world.faults.tick()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m local.sandbox", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(serve(given.directory, given.seed))
