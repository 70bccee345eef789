"""A quickmatchd of one's own over a folder that goes away with it, and the templates that it serves."""
import http.client
import json
import os
import socket
import subprocess
import tempfile


def recipes(products, pools, hello_folder=None):
    """The templates whose files are in the folder of products: `hello`, and `python` where its image was made. Files by
    the names that their content gives them: what is `current` changes when another checkout builds its own."""
    products = os.path.realpath(products)
    kernel, initrd, root = (os.path.realpath(file) for file in (
        f"{products}/guest-kernel/current/vmlinux", f"{hello_folder or products + '/images/current'}/hello.cpio",
        f"{products}/images/current/python.ext4"))
    hello = {"kernel": kernel, "initrd": initrd, "memory_mib": 128, "pool_size": 4,
             "rehearsal": [["/bin/echo", "hi"]]}
    python = {"kernel": kernel, "initrd": initrd, "images": [root], "memory_mib": 256,
              "boot_arguments": "console=ttyS0 reboot=k panic=-1 quiet cgroup_disable=memory qm.root=/dev/vda", "pool_size": 2,
              "warm_up": [["/usr/bin/python3", "-c", "import json, hashlib, ctypes, random"]]}
    found = {"hello": hello}
    if os.path.exists(root):
        found["python"] = python
    for name, size in pools.items():
        if name not in found:
            raise RuntimeError(f"there is no template {name}; there are {', '.join(found)}")
        found[name]["pool_size"] = size
    return {"folders": [products], "templates": found}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("quickmatch", timeout=300)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """Runs from start() to the end of its `with`; then the daemon, its VMs and its folder are gone. It logs to standard
    error, or, when it is quiet, for the error's message only."""

    def __init__(self, programs, config, listen="none", quiet=False):
        self.programs, self.config, self.listen, self.quiet = programs, config, listen, quiet
        self.process, self.log, self.told = None, None, {}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="quickmatch-")
        self.socket = os.path.join(self.folder.name, "api.sock")
        self.connection = UnixConnection(self.socket)
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.folder.cleanup()

    def start(self):
        config_file = os.path.join(self.folder.name, "config.json")
        with open(config_file, "w") as file:
            json.dump(self.config, file)
        if self.quiet:
            self.log = open(os.path.join(self.folder.name, "log"), "w+")
        self.process = subprocess.Popen(
            [os.path.join(self.programs, "quickmatchd"), "--config", config_file, "--listen", self.listen,
             "--state", os.path.join(self.folder.name, "state"), "--socket", self.socket, "--jail", self.jail()],
            stderr=self.log)

    def jail(self):
        """Namespaces, unless the doctor finds a part of a jail that does not work here."""
        doctor = subprocess.run([os.path.join(self.programs, "quickmatch"), "--json", "doctor"], stdout=subprocess.PIPE)
        lacking = [one for one in json.loads(doctor.stdout)["findings"] if one["what"].startswith("jail: ")]
        for one in lacking:
            print(f"  {one['what']} {one['found']}, so VMs are plain processes. {one['remedy']}", flush=True)
        return "none" if lacking else "namespaces"

    def is_running(self):
        return self.process.poll() is None

    def ask(self, method, path, body=None, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        text = json.dumps(body) if body is not None else None
        self.connection.request(method, path, text, headers)
        response = self.connection.getresponse()
        answer = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.decode()}")
        return json.loads(answer) if answer else None

    def pools(self):
        """Of each template; None while the daemon does not serve, before and after. Tells each step that no log tells."""
        if not self.is_running():
            raise RuntimeError("the daemon ended" + (f": {open(self.log.name).read()}" if self.log else ""))
        try:
            pools = self.ask("GET", "/v1/pools")["pools"]
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return None
        for pool in pools:
            name, status = pool["template"], pool["status"]
            if status["state"] == "failed":
                raise RuntimeError(f"template {name} was not built: {status['detail']}")
            if self.quiet and status["detail"] not in ("", self.told.get(name)):
                self.told[name] = status["detail"]
                print(f"  {name}: {status['detail']}", flush=True)
        return pools
