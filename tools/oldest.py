"""Print the oldest version that each range of settings.ini allows, one `name==version` a line, for pip to install."""

from packaging.requirements import Requirement

from tools.export import read_settings


def oldest(lines: str) -> list[str]:
    "`name==version` for each requirement of `lines`: its lower bound, or its pin."
    found = []
    for requirement in map(Requirement, filter(None, map(str.strip, lines.splitlines()))):
        (version,) = (bound.version for bound in requirement.specifier if bound.operator in (">=", "=="))
        found.append(f"{requirement.name}=={version}")
    return found


if __name__ == "__main__":
    print(*oldest(read_settings()["requirements"]), sep="\n")
