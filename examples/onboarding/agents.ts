import { agent, type Model } from "tutti";
import { rule, ruleModel } from "tutti/models";
import { z } from "zod";

import { CustomerRecord, Mail, Task } from "./tools.ts";

export const SignUp = z.object({
  email: z.string(),
  name: z.string(),
  company: z.string(),
  employees: z.number(),
  country: z.string(),
  plan: z.enum(["starter", "team", "business"]),
});
export type SignUp = z.infer<typeof SignUp>;

export const profiler = agent({
  name: "profiler",
  does: "Turns a sign-up into the records that the customer system should hold.",
  model: "fast",
  input: SignUp,
  output: z.object({ records: z.array(CustomerRecord).min(1).max(5) }),
  instructions: "One record for the person, one for the company with its segment, one with the preferences.",
});

export const greeter = agent({
  name: "greeter",
  does: "Writes the welcome mail.",
  model: "fast",
  input: SignUp,
  output: Mail,
  instructions: "Short, in the customer's language where you know it, about the plan that was chosen.",
});

export const coach = agent({
  name: "coach",
  does: "Decides who calls the customer, and when.",
  model: "fast",
  input: SignUp,
  output: Task,
  instructions: "Large companies are called within a day by sales, everybody else within a week by success.",
});

const greetings: Readonly<Record<string, string>> = { DE: "Willkommen", SE: "Välkommen", BR: "Bem-vindo" };

/** What the three think, as rules over the sign-up; a real model may take its place. */
export function openModel(): Model {
  return ruleModel(
    {
      profiler: rule(SignUp, ({ email, name, company, employees, country, plan }) => {
        const segment = employees >= 250 ? "enterprise" : employees >= 50 ? "middle" : "small";
        return {
          records: [
            { kind: "contact", email, fields: { name, country } },
            { kind: "company", email, fields: { company, segment } },
            {
              kind: "preferences",
              email,
              fields: { plan, language: country in greetings ? country.toLowerCase() : "en" },
            },
          ],
        };
      }),
      greeter: rule(SignUp, ({ email, name, country, plan }) => ({
        to: email,
        subject: greetings[country] ?? "Welcome",
        text: `${greetings[country] ?? "Welcome"}, ${name}. Your ${plan} plan is ready.`,
      })),
      coach: rule(SignUp, ({ email, name, employees }) => ({
        about: email,
        owner: employees >= 250 ? "sales" : "success",
        inDays: employees >= 250 ? 1 : 7,
        text: `Call ${name} and ask what they need.`,
      })),
    },
    { id: "onboarding-1" },
  );
}
