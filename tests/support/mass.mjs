// The field app's rules of mass, for tests: one case in JSON a line comes in, its findings in JSON go out.

import { createInterface } from "node:readline";
import { judge } from "../../static/js/field/mass.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { process: made, stage, inputs, more } = JSON.parse(line);
  console.log(JSON.stringify(judge(made, made.stages.find((one) => one.key === stage), inputs, more)));
}
