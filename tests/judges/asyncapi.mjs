// The AsyncAPI document before the specification's own parser: `npm install @asyncapi/parser@3.6.3` beside this file, then
// `node asyncapi.mjs ../../docs/asyncapi.json`. Ends with 1 if it finds an error or a warning.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const one of diagnostics) console.log(`${one.code} at ${one.path.join("/")}: ${one.message}`);
const grave = diagnostics.filter((one) => one.severity <= 1);
console.log(document ? `read: ${document.allOperations().length} operations` : "not read");
process.exit(document && grave.length === 0 ? 0 : 1);
