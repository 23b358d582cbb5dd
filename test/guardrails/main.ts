import { measurePersonal, measureRisk, toPersonalTable } from "./measure.ts";

process.stdout.write(`${toPersonalTable(measurePersonal())}\n\n${JSON.stringify(measureRisk())}\n`);
