"""Names of systems, and the section ``variants``."""

from tfseg.models.registry import systems
from tfseg.settings.messages import guess
from tfseg.settings.recipes import SECTIONS, find_recipe
from tfseg.settings.schema_errors import schema_errors

# Rows of tables that are not systems (docs/reference/files.md).
RESERVED_NAMES = ("no_separation", "ibm", "irm")


def variant_relations(config):
    """Check names of systems, and that each variant can be built."""
    variants = config["variants"]
    known = [*systems(), *variants]
    for index, system in enumerate(config["systems"]):
        if system not in known:
            yield (
                f"config key systems[{index}]: {guess(system, known)}"
                f"expected one of {', '.join(known)}, found {system!r}"
            )
    for name, variant in variants.items():
        place = f"config key variants.{name}"
        if name in systems() or name in RESERVED_NAMES:
            yield (
                f"{place}: expected another name, this one is taken: "
                f"{', '.join([*systems(), *RESERVED_NAMES])} are"
            )
            continue
        network = variant["system"]
        if network not in systems():
            hint = guess(network, systems())
            if network in variants:
                hint = "a variant builds on a registered system, not on another variant; "
            yield f"{place}.system: {hint}expected one of {', '.join(systems())}, found {network!r}"
            continue
        yield from _idle_relations(place, variant)
        recipe = find_recipe(config, name)
        changed = config | {section: getattr(recipe, section) for section in SECTIONS}
        for message in schema_errors(changed):
            yield message.replace("config key ", f"{place}.", 1)
        yield from _teacher_relations(config, name)


def _idle_relations(place, variant):
    """Report changes of a variant to sections that its network does not have."""
    network = variant["system"]
    facts = systems()[network]
    for section in ("trunk", "pooling"):
        if variant.get(section) and not facts.has_masks:
            yield f"{place}.{section}: expected none, {network} is a network without one"
    for pooling in variant.get("pooling", {}) if facts.has_masks else ():
        if pooling != facts.pooling:
            yield f"{place}.pooling.{pooling}: expected {network}'s own pooling, {facts.pooling}"


def _teacher_relations(config, name):
    """Check that a variant's teacher is a system of this experiment, and usable as a teacher."""
    place = f"config key variants.{name}.teacher"
    variants, seen, teacher = config["variants"], [name], config["variants"][name].get("teacher")
    if teacher is None:
        return
    if teacher not in config["systems"]:
        yield (
            f"{place}: expected one of systems ({', '.join(config['systems'])}), which are "
            f"trained, found {teacher!r}"
        )
        return
    for system in (name, teacher):
        network = variants.get(system, {}).get("system", system)
        if network in systems() and not systems()[network].has_masks:
            yield f"{place}: expected student and teacher with masks, found {system} without masks"
    while teacher is not None:
        if teacher in seen:
            yield f"{place}: expected a teacher that is trained first, found a circle: {teacher}"
            return
        seen.append(teacher)
        teacher = variants.get(teacher, {}).get("teacher")
