// Reads AsyncAPI documents with the AsyncAPI initiative's own parser; prints each finding, exits 1 where there is one.
// node tools/validators/asyncapi.cjs docs/asyncapi.json
const fs = require("fs");
const { Parser } = require("@asyncapi/parser");

async function main() {
  for (const file of process.argv.slice(2)) {
    const { document, diagnostics } = await new Parser().parse(fs.readFileSync(file, "utf8"));
    const findings = diagnostics.filter(({ severity }) => severity <= 1); // errors and warnings
    for (const { severity, path, message } of findings) {
      console.log(`${file}: ${severity === 0 ? "error" : "warning"}: ${path.join(".")}: ${message}`);
    }
    if (!document || findings.length > 0) process.exitCode = 1;
  }
}

main();
