"""Digests of the code behind the jobs of an experiment, as the params of rules carry them."""

from dataclasses import dataclass

from tfseg.io.digests import contents_digest
from tfseg.run.digest import LIBRARY, code_digest, training_digest

_SCRIPTS = LIBRARY.parent
_NETWORK = "tfseg.models.systems:build_network"


@dataclass(frozen=True)
class RuleCode:
    """What a job's code is: its script, and what is imported by a name that the job gives.

    Parameters
    ----------
    recipes : dict of str to tfseg.settings.recipes.Recipe
        Of the experiment's systems, by name.
    """

    recipes: dict

    def of_rule(self, name):
        """Digest of a rule's script and of the library behind it."""
        return code_digest(_SCRIPTS / f"{name}.py")

    def of_system(self, system):
        """Digest of the network behind a system's name."""
        return code_digest(_NETWORK, *self.recipes[system].builders)

    def of_model(self, wildcards):
        """`of_system` of a job."""
        return self.of_system(wildcards.system)

    @staticmethod
    def of_corpus(corpus):
        """Digest of the module that lists or renders a corpus."""
        return code_digest(corpus.function)

    def of_figure(self, wildcards):
        """Digest of the module that draws a figure."""
        return code_digest(LIBRARY / "reporting" / "figures" / f"{wildcards.figure}.py")

    def of_training(self, wildcards):
        """Digest of what decides a training's result: a state of other code is not resumed from.

        Its own network, its teachers' (a teacher may have one, too), the loop and the data reader;
        no other system, no file helper.
        """
        builders, system = [], wildcards.system
        while system is not None:
            builders += self.recipes[system].builders
            system = self.recipes[system].teacher
        return training_digest(_SCRIPTS / "train_model.py", *builders)

    def of_templates(self):
        """Digest of the templates behind every page, which no script imports."""
        return contents_digest((LIBRARY / "reporting" / "pages" / "templates").iterdir())
