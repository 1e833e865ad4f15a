"""reprise kernels: the list, the pages, and that they agree with each other."""
import re
import subprocess
import unittest

import cli
from cli import INPUT, OK, SOURCE, USAGE


class Kernels(cli.Case):
    def names(self):
        return re.findall(r"^  (\w+) ", self.expect(OK, "kernels"), re.M)

    def test_list(self):
        out = self.expect(OK, "kernels")
        families = re.findall(r"^(\w+)$", out, re.M)
        reference = (cli.SOURCE / "docs" / "ops.md").read_text()
        self.assertEqual(families, re.findall(r"^\*\*(\w+)\*\*: ", reference, re.M))
        self.assertEqual(families[:4], ["map", "rows", "parts", "data"])
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

    def choice(self, *arguments):
        """The lines of `reprise kernels` with these arguments, each kernel's text by its name, and what decides."""
        lines = self.expect(OK, "kernels", *arguments).splitlines()
        kernels = dict(re.findall(r"^    ([a-z0-9_]+) +(.*)$", "\n".join(lines), re.M))
        decides = re.findall(r"(\w+) \d+", lines[-1].split(" of target")[0])
        return lines, kernels, decides

    def test_choice(self):
        lines, kernels, decides = self.choice("matmul", "--target", "h200", "a=f16[4096,4096]", "b=f16[4096,4096]",
                                              "transpose_b=1")
        self.assertEqual(lines[0], "matmul on target h200:")
        self.assertEqual(lines[1], "  matmul {transpose_b=1} (r $a:f16[4096,4096], r $b:f16[4096,4096], "
                                   "w %out:f16[4096,4096])")
        self.assertRegex(kernels["matrices"], r"^taken: 1024 tiles of 128 x 128, about [\d.]+ us$")
        self.assertRegex(kernels["tiles"], r"^could: 1024 tiles of 128 x 128 for 132 multiprocessors, about [\d.]+ us$")
        self.assertTrue(kernels["matrices_i8"].startswith("not this; for a and b of i8"))
        self.assertIn("shared_bytes", decides)

    def test_figures_that_decide(self):
        """Half or twice of a figure that is named leads to another choice, and of others to the same."""
        call = ["a=f32[16,256]", "b=f32[256,64]"]
        limits = self.expect(OK, "devices", "--limits")
        self.write("d.target", limits)
        lines, _, decides = self.choice("matmul", "--target", "d.target", *call)
        self.assertIn("multiprocessors", decides)
        without_times = lambda lines: [re.sub("about .*", "", line) for line in lines[1:-1]]
        for name in ("multiprocessors", "memory_rate"):
            others = []
            for factor in (0.5, 2):
                self.write("d.target", re.sub(rf"(?m)^{name}: (\d+)", lambda m: f"{name}: {int(int(m[1]) * factor)}", limits))
                others.append(self.choice("matmul", "--target", "d.target", *call)[0])
            same = [without_times(other) == without_times(lines) for other in others]
            self.assertEqual(all(same), name not in decides, name)

    def test_choice_of_several_ops(self):
        lines, _, decides = self.choice("softmax", "--target", "h200", "x=f32[1,128256]")
        self.assertRegex(lines[1], r"^  softmax_partial \{splits=\d+\}")
        self.assertRegex(lines[2], r"^    a row has \d+ threads$")
        lines, kernels, _ = self.choice("linear", "--target", "lavapipe", "x=f32[16,384]", "weight=f32[384,384]")
        self.assertRegex(kernels["columns"], "^taken: ")
        self.assertTrue(kernels["matrices"].startswith("the target lacks cooperative matrices (cooperativeMatrix)"))
        lines, _, _ = self.choice("map", "expr=x * 2 + y", "x=f32[4,5]", "y=f32[5]")
        self.assertEqual(lines[1], '  map {expr="a * 2 + b"} (r $x:f32[4,5], r $y:f32[5], w %out:f32[4,5])')
        self.assertEqual(lines[-1], "decided by no figure of target portable")

    def test_choice_without_operands(self):
        out = self.expect(OK, "kernels", "matmul", "--target", "h200")
        self.assertRegex(out, r"    matrices +for a of f16")
        out = self.expect(OK, "kernels", "matmul", "--target", "portable")
        self.assertRegex(out, r"    dots +the target lacks integer dot products .*, and 1 feature more")

    def test_wrong_choice(self):
        for arguments, error in (
                (("a=f16[5",), "a is 'f16[5': expected a type like f16[512,1024]"),
                (("a=f17[5]",), "expected a type"), (("a=f16[]",), "expected a type"),
                (("a=f16[1,1,1,1,1,1,1,1,1,1]",), "expected a type"),
                (("a=f16[99999999999,99999999999]",), "a buffer has 1 to 2^40 bytes"),
                (("a=f16[5,6]",), "operand 'b' of matmul is missing"),
                (("a=f16[5,6]", "b=f16[5,6]"), "5 rows"),
                (("a=f16[5,6]", "b=f16[6,5]", "z=f16[5]"), "matmul has no operand 'z'"),
                (("a=f16[5,6]", "b=f16[6,5]", "transpose_b=yes"), "transpose_b is 'yes': expected a number")):
            self.expect(INPUT, "kernels", "matmul", *arguments, error=error)
        self.expect(INPUT, "kernels", "knn", "--target", "h200", error="knn is several ops: give the types")
        self.expect(INPUT, "kernels", "add", "--target", "h200", error="give the types of its operands")
        self.expect(USAGE, "kernels", "--target", "h200", error="name it")
        self.expect(USAGE, "kernels", "x=f32[4]", error="name it")
        self.expect(USAGE, "kernels", "add", "=f32", error="is not OPERAND=TYPE")
        self.expect(INPUT, "kernels", "add", "--target", "nowhere.target", "a=f32[3]", "b=f32[3]", error="nowhere.target")

    def test_completion_knows_operands(self):
        script = (f"source {SOURCE}/tools/completion/reprise.bash; COMP_WORDS=('{cli.REPRISE}' kernels matmul t);"
                  "COMP_CWORD=3; _reprise; echo \"${COMPREPLY[@]}\"")
        out = subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()
        self.assertEqual(out, ["transpose_a=", "transpose_b="])

    def test_completion_knows_the_names(self):
        script = (f"source {SOURCE}/tools/completion/reprise.bash; COMP_WORDS=('{cli.REPRISE}' kernels rms);"
                  "COMP_CWORD=2; _reprise; echo \"${COMPREPLY[@]}\"")
        out = subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()
        self.assertEqual(out, ["rms_norm"])

    def test_completion_knows_the_values_of_options(self):
        for words, wanted in (("kernels -f ''", "text markdown"), ("show -f ''", "text json dot html inspection"),
                              ("profile -f ''", "text json"),
                              ("compile --dump-after s", "source schedule sync"),
                              ("opt --passes t", "transfers"), ("compile --target dev", "device")):
            script = (f"source {SOURCE}/tools/completion/reprise.bash; COMP_WORDS=('{cli.REPRISE}' {words});"
                      "COMP_CWORD=3; _reprise; echo \"${COMPREPLY[@]}\"")
            out = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=self.folder).stdout
            self.assertEqual(out.split(), wanted.split(), words)


if __name__ == "__main__":
    cli.main()
