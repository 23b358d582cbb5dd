import type { TuttiConfig } from "tutti";

import { policy } from "./ask-person.ts";
import { chooseModel } from "./choose-model.ts";

const { model } = await chooseModel(process.env);

export const config: TuttiConfig = { models: { fast: model }, policy };
