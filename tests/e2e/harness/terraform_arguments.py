"""Every block of a Terraform module against the declarations of the AWS provider: that its kind exists, that it has the
arguments, nested blocks and attributes that the module names, and that nothing is missing.

The declarations are the bindings of the provider for Python, read from their wheel as text: nothing in it is run.

    python terraform_arguments.py WHEEL FOLDER      prints every fault, and how much was looked at
"""

import ast
import pathlib
import re
import sys
import zipfile

import hcl2

PACKAGE = "cdktf_cdktf_provider_aws"
# What Terraform itself gives to every block.
META = {"count", "depends_on", "for_each", "lifecycle", "provider", "provisioners", "connection"}
REFERENCE = re.compile(r"\b(data\.)?(aws_\w+)\.(\w+)(?:\[[^\]]*\])?\.(\w+)")


class Provider:
    """What the provider declares."""

    def __init__(self, wheel):
        self.wheel = zipfile.ZipFile(wheel)
        self.names = set(self.wheel.namelist())
        self.known = {}

    def kind(self, kind, is_data):
        """The classes of a kind of resource, or None where there is no such kind."""
        module = ("data_" + kind if is_data else kind.removeprefix("aws_")) + "/__init__.py"
        path = f"{PACKAGE}/{module}"
        if path not in self.names:
            return None
        if path not in self.known:
            tree = ast.parse(self.wheel.read(path))
            self.known[path] = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        return self.known[path]


def arguments(declared):
    """The arguments of a class: name, whether it is required, and the class of a nested block."""
    init = next(node for node in declared.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    pairs = zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
    found = {}
    for argument, default in pairs:
        nested = re.findall(rf"\b({_stem(declared.name)}\w+)\b", ast.unparse(argument.annotation))
        found[argument.arg.rstrip("_")] = (default is None, nested[0] if nested else None)
    return found


def attributes(classes):
    """What can be read of a resource: the properties of its class."""
    resource = next(node for node in classes.values() if f"{node.name}Config" in classes)
    return {node.name for node in resource.body if isinstance(node, ast.FunctionDef) and node.decorator_list}


def faults_of_block(where, classes, declared, block):
    known = arguments(declared)
    given = {name: value for name, value in plain(block).items() if name not in META}
    for dynamic in given.pop("dynamic", []):
        for name, body in plain(dynamic).items():
            given[name] = body["content"]
    for name, value in given.items():
        if name not in known:
            yield f"{where}: there is no `{name}`; there are {', '.join(sorted(known))}"
            continue
        nested = known[name][1]
        if nested and isinstance(value, list):
            for inner in value:
                yield from faults_of_block(f"{where}.{name}", classes, classes[nested], inner)
    for name, (is_required, _) in known.items():
        if is_required and name not in given and name not in META:
            yield f"{where}: `{name}` is required"


def faults(provider, documents):
    """Every fault; and how many blocks and references were looked at, by attribute of this function's value."""
    seen = {"blocks": 0, "references": 0}
    found = []
    for path, text in documents.items():
        document = hcl2.loads(text)
        for section, is_data in (("resource", False), ("data", True)):
            for entry in document.get(section, []):
                for kind, named in plain(entry).items():
                    for name, block in plain(named).items():
                        seen["blocks"] += 1
                        where = f"{path}: {kind}.{name}"
                        classes = provider.kind(kind, is_data)
                        if classes is None:
                            found.append(f"{where}: there is no such kind")
                            continue
                        config = next(
                            node for node in classes.values() if node.name.endswith("Config") and _is_root(node, classes)
                        )
                        found.extend(faults_of_block(where, classes, config, block))
        for is_data, kind, name, attribute in REFERENCE.findall(text):
            seen["references"] += 1
            classes = provider.kind(kind, bool(is_data))
            if classes is None or attribute not in attributes(classes):
                found.append(f"{path}: {kind}.{name} has no `{attribute}`")
    return found, seen


def plain(block):
    """A block with its names as they are read, without what the parser notes."""
    return {name.strip('"'): value for name, value in block.items() if not name.startswith("__")}


def _stem(name):
    return name.removesuffix("Config")


def _is_root(node, classes):
    return _stem(node.name) in classes


def main(wheel, folder):
    documents = {path.name: path.read_text() for path in sorted(pathlib.Path(folder).glob("*.tf"))}
    found, seen = faults(Provider(wheel), documents)
    for fault in found:
        print(fault)
    print(f"{seen['blocks']} blocks and {seen['references']} references, {len(found)} faults")
    return 1 if found or not seen["blocks"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
