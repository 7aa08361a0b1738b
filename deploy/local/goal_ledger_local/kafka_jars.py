"""The jars of Apache Kafka, fetched once by Maven into the cache.

A directory of jars appears whole or not at all: Maven fills a temporary one, which is then renamed, so that two
first starts at the same time never see half of it. Beside the jars lies a small launcher class that formats the
log directory and starts the broker in one JVM, when a compiler is there; without one two JVMs do it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goal_ledger_local.tools import REPOSITORY, ToolMissing, cache_dir, find_java, find_maven

KAFKA_VERSION = "4.4.0"
LAUNCHER = "FormatAndStart"
LAUNCHER_SOURCE = f"""
public final class {LAUNCHER} {{
  public static void main(String[] args) throws Exception {{
    int rc = kafka.tools.StorageTool.execute(new String[] {{
        "format", "-c", args[0], "-t", args[1], "--standalone", "--ignore-formatted"}}, System.out);
    if (rc != 0) System.exit(rc);
    kafka.Kafka.main(new String[] {{args[0]}});
  }}
}}
"""


@dataclass(frozen=True)
class KafkaJars:
    """Java and what to put before the main class."""

    java: Path
    directory: Path

    @property
    def classpath(self) -> str:
        """Every jar by name, sorted, and the directory of the launcher class."""
        return os.pathsep.join([str(self.directory), *sorted(map(str, self.directory.glob("*.jar")))])

    @property
    def formats_and_starts(self) -> bool:
        """Whether the one-JVM launcher was compiled."""
        return (self.directory / f"{LAUNCHER}.class").exists()


def kafka_jars(environ: Mapping[str, str] = os.environ) -> KafkaJars:
    """The jars, fetched when they are not yet in the cache.

    Raises:
        ToolMissing: without Java, or without Maven when the jars must be fetched, or when Maven fails.
    """
    java = find_java(environ)
    directory = cache_dir(environ) / f"kafka-{KAFKA_VERSION}"
    if not directory.is_dir():
        _fetch(directory, java, find_maven(environ))
    return KafkaJars(java, directory)


def _fetch(directory: Path, java: Path, maven: Path) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        half.chmod(0o755)
        _copy_dependencies(half, maven)
        _compile_launcher(half, java)
        try:
            half.rename(directory)
        except OSError:
            if not directory.is_dir():
                raise
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _copy_dependencies(target: Path, maven: Path) -> None:
    pom = REPOSITORY / "deploy" / "local" / "pom.xml"
    argv = [str(maven), "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    ran = subprocess.run([*argv, f"-DoutputDirectory={target}"], capture_output=True, text=True, check=False)
    if ran.returncode != 0 or not any(target.glob("kafka_*.jar")):
        said = " ".join((ran.stdout + ran.stderr).split())[:400]
        raise ToolMissing(f"Maven could not fetch the jars of Apache Kafka {KAFKA_VERSION}: {said}")


def _compile_launcher(target: Path, java: Path) -> None:
    compiler = java.resolve().with_name("javac")
    if not compiler.exists():
        return
    source = target / f"{LAUNCHER}.java"
    source.write_text(LAUNCHER_SOURCE)
    jars = os.pathsep.join(map(str, target.glob("*.jar")))
    argv = [str(compiler), "-cp", jars, "-d", str(target), str(source)]
    subprocess.run(argv, capture_output=True, check=False)
