// Writes docs/errors.md from the table of error codes. A test fails when the page is stale.
import { writeFileSync } from "node:fs";
import path from "node:path";

import { toErrorsPage } from "../test/docs/errors-page.ts";

writeFileSync(path.resolve(import.meta.dirname, "../docs/errors.md"), toErrorsPage());
