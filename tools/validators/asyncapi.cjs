// Reads an AsyncAPI document with the AsyncAPI initiative's own parser; prints each finding, exits 1 where there is an error.
// node tools/validators/asyncapi.cjs docs/asyncapi.json
const fs = require("fs");
const { Parser } = require("@asyncapi/parser");

new Parser().parse(fs.readFileSync(process.argv[2], "utf8")).then(({ document, diagnostics }) => {
  const findings = diagnostics.filter(({ severity }) => severity <= 1); // errors and warnings
  for (const { severity, path, message } of findings) {
    console.log(`${severity === 0 ? "error" : "warning"}: ${path.join(".")}: ${message}`);
  }
  process.exitCode = document && findings.length === 0 ? 0 : 1;
});
