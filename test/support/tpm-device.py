"""A character device with a TPM behind it: a pseudo terminal whose bytes go to a TPM emulator over TCP and back.

Argument: the port of the emulator, or 0 for a device that takes commands and never answers. Prints the path of the device.
"""
import os
import select
import socket
import sys
import tty

controller, device = os.openpty()
tty.setraw(device)
port = int(sys.argv[1])
emulator = socket.create_connection(("127.0.0.1", port)) if port else None
print(os.ttyname(device), flush=True)
while True:
    ready, _, _ = select.select([controller] + ([emulator] if emulator else []), [], [])
    if controller in ready:
        command = os.read(controller, 4096)
        if emulator:
            emulator.sendall(command)
    if emulator in ready:
        response = emulator.recv(4096)
        if not response:
            break
        os.write(controller, response)
