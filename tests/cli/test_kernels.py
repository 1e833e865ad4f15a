"""reprise kernels: the list, the pages, and that they agree with each other."""
import re
import subprocess
import unittest

import cli
from cli import OK, SOURCE, USAGE


class Kernels(cli.Case):
    def names(self):
        return re.findall(r"^  (\w+) ", self.expect(OK, "kernels"), re.M)

    def test_list(self):
        out = self.expect(OK, "kernels")
        families = re.findall(r"^(\w+)$", out, re.M)
        self.assertEqual(families, ["map", "rows", "parts", "data", "matrix", "attention", "search", "quantise",
                                    "cluster", "statistics"])
        names = self.names()
        self.assertEqual(len(names), len(set(names)))
        for name in ("rms_norm", "matvec", "top_k", "knn", "attention"):
            self.assertIn(name, names)
        self.assertRegex(out, r"  knn +.*\(composite\)")

    def test_every_name_has_a_page(self):
        for name in self.names():
            page = self.expect(OK, "kernels", name)
            self.assertTrue(page.startswith(f"## {name}\n"), name)
            self.assertIn("| operand |", page)

    def test_reference(self):
        page = self.expect(OK, "kernels", "--format", "markdown")
        self.assertEqual(re.findall(r"^## (\w+)$", page, re.M), self.names())
        for link in re.findall(r"\]\(#(\w+)\)", page):
            self.assertIn(f"\n## {link}\n", page)
        self.assertEqual(page, (SOURCE / "docs/ops.md").read_text())

    def test_wrong_usage(self):
        self.expect(USAGE, "kernels", "rmsnorm", error="did you mean 'rms_norm'?")
        self.expect(USAGE, "kernels", "zzzzzz", error="'reprise kernels' lists them")
        self.expect(USAGE, "kernels", "knn", "rope", error="one op at a time")
        self.expect(USAGE, "kernels", "--format", "html", error="text, markdown")

    def test_completion_knows_the_names(self):
        script = (f"source {SOURCE}/tools/completion/reprise.bash; COMP_WORDS=('{cli.REPRISE}' kernels rms);"
                  "COMP_CWORD=2; _reprise; echo \"${COMPREPLY[@]}\"")
        out = subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()
        self.assertEqual(out, ["rms_norm"])

    def test_completion_knows_the_values_of_options(self):
        for words, wanted in (("kernels -f ''", "text markdown"), ("show -f ''", "text json dot"),
                              ("profile -f ''", "text json"),
                              ("compile --dump-after s", "source schedule sync"),
                              ("opt --passes t", "transfers"), ("compile --target dev", "device")):
            script = (f"source {SOURCE}/tools/completion/reprise.bash; COMP_WORDS=('{cli.REPRISE}' {words});"
                      "COMP_CWORD=3; _reprise; echo \"${COMPREPLY[@]}\"")
            out = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=self.folder).stdout
            self.assertEqual(out.split(), wanted.split(), words)


if __name__ == "__main__":
    cli.main()
