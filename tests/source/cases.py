"""Projects whose source is broken, each in one way, and what a user is to be told about it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.outputs.backends import BACKENDS
from tests.running import DATA

if TYPE_CHECKING:
    from pathlib import Path

RECORDED = DATA / "source"
"""What Node made of each of them: ``result.json``, what it printed, and its exit status."""

BACKEND, AUTH, DATA_RESOURCE, STORAGE = (
    "amplify/backend.ts",
    "amplify/auth/resource.ts",
    "amplify/data/resource.ts",
    "amplify/storage/resource.ts",
)

EVERYTHING = "*"


@dataclass(frozen=True)
class Case:
    """One broken project: a change of the backend guide-basic."""

    name: str
    file: str
    """The file that is changed, and in which the error is to be found."""
    text: str
    """What is appended to the file."""
    line: int | None
    """The line that the user is to be told."""
    says: str
    """Node's or Amplify's own words."""
    fix: str
    """Words of the resolution."""
    old: str = ""
    """If it is not empty, *text* replaces this, or the whole file, instead of being appended."""
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def make_project(self, folder: Path) -> Path:
        """Make the project in *folder*, without packages."""
        shutil.copytree(BACKENDS / "guide-basic" / "project", folder)
        path = folder / self.file
        source = path.read_text(encoding="utf-8")
        changed = source.replace(self.old, self.text) if self.old else source + self.text
        if self.old == EVERYTHING:
            changed = self.text
        path.write_text(changed, encoding="utf-8")
        return folder


_ONLY_AUTH = 'import { defineBackend } from "@aws-amplify/backend";\nconst b = defineBackend({});\n'

CASES = [
    Case("syntax", DATA_RESOURCE, "export const x = {", 16, "end of file", "Correct it there"),
    Case(
        "wrong-path",
        BACKEND,
        '"./auth/resourcee"',
        2,
        "amplify/auth/resourcee'",
        "Correct the path of the import",
        old='"./auth/resource"',
    ),
    Case(
        "wrong-name",
        BACKEND,
        "{ authentication as auth }",
        2,
        "does not provide an export named 'authentication'",
        "Correct it there",
        old="{ auth }",
    ),
    Case(
        "missing-package",
        AUTH,
        '\nimport { nanoid } from "not-there/sub";\nconsole.log(nanoid);\n',
        9,
        "Cannot find package 'not-there'",
        "npm install --save-dev not-there",
    ),
    Case(
        "throws",
        DATA_RESOURCE,
        '\nif (!process.env.MY_KEY) throw new Error("MY_KEY is not set");\n',
        17,
        "MY_KEY is not set",
        "Correct it there",
    ),
    Case("throws-text", AUTH, '\nthrow "just text";\n', 9, "just text", "Correct it there"),
    Case("throws-object", AUTH, "\nthrow { code: 7 };\n", 9, "{ code: 7 }", "Correct it there"),
    Case(
        "rejects",
        AUTH,
        '\nvoid Promise.reject(new Error("nobody waits"));\n',
        9,
        "nobody waits",
        "Correct it there",
    ),
    Case(
        "throws-later",
        AUTH,
        '\nsetTimeout(() => { throw new TypeError("too late"); }, 0);\n'
        "await new Promise((done) => setTimeout(done, 5000));\n",
        9,
        "TypeError: too late",
        "Correct it there",
    ),
    Case(
        "refused-path",
        STORAGE,
        '"{entity_id}/*"',
        3,
        "InvalidStorageAccessPathError: The {entity_id} token must not be the first",
        "Add an additional prefix to the path",
        old='"pictures/*"',
    ),
    Case(
        "refused-in-detail",
        AUTH,
        "emall: true",
        3,
        "configuration: At least one authentication method must be enabled.",
        "Fix the configuration errors",
        old="email: true",
    ),
    Case(
        "refused-schema",
        DATA_RESOURCE,
        'a.string().default("a \\"quoted\\" one")',
        11,
        "InvalidSchemaError: Syntax Error",
        "Check your data schema",
        old="a.string()",
    ),
    Case(
        "look-up",
        BACKEND,
        f'import {{ Vpc }} from "aws-cdk-lib/aws-ec2";\n{_ONLY_AUTH}'
        'Vpc.fromLookup(b.createStack("net"), "Vpc", { vpcName: "main" });\n',
        4,
        "vpc-provider",
        "no AWS to look it up in",
        old=EVERYTHING,
    ),
    Case(
        "look-up-of-account",
        BACKEND,
        'import { Stack } from "aws-cdk-lib";\nimport { Vpc } from "aws-cdk-lib/aws-ec2";\n'
        f'{_ONLY_AUTH}const env = {{ account: "111122223333", region: "us-east-1" }};\n'
        'const stack = new Stack(b.createStack("a").node.root as any, "Net", { env });\n'
        'Vpc.fromLookup(stack, "Vpc", { vpcName: "main" });\n',
        7,
        "look-up in an AWS account: vpc-provider",
        "--from outputs",
        old=EVERYTHING,
    ),
    Case("waits", AUTH, "\nawait new Promise(() => {});\n", 9, "never happens", "Remove the await"),
    Case(
        "loops",
        AUTH,
        "\nfunction spin(): number {\n  let n: number = 0;\n\n  for (;;) n++;\n}\n\nspin();\n",
        12,
        "was not loaded within 8 s",
        "endless loop",
        options=("--timeout", "8"),
    ),
    Case(
        "listens",
        AUTH,
        "\nsetInterval(() => {}, 1e6); await new Promise(() => {});\n",
        9,
        "was not loaded within 8 s",
        "--timeout",
        options=("--timeout", "8"),
    ),
    Case("exits", AUTH, "\nprocess.exit(0);\n", 9, "exit code 0", "process.exit"),
    Case(
        "empty",
        BACKEND,
        'console.log("no backend");\n',
        None,
        "no backend",
        "defineBackend",
        EVERYTHING,
    ),
    Case(
        "memory",
        BACKEND,
        "\nconst all: number[][] = [];\nfor (;;) all.push(new Array(1e5).fill(Math.random()));\n",
        None,
        "JavaScript heap out of memory",
        "--max-old-space-size",
        environment={"NODE_OPTIONS": "--max-old-space-size=150"},
    ),
]
