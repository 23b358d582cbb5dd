import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { tool, TuttiError, type Tool } from "tutti";
import { z } from "zod";

import { Delivery, Offer } from "./shapes.ts";

export interface OfferTools {
  readonly readOffer: Tool<{ supplier: string }, Offer>;
  readonly priceOffer: Tool<{ supplier: string; quantity: number }, { total: number; discountPercent: number }>;
  readonly readDeliveries: Tool<{ supplier: string }, { deliveries: Delivery[] }>;
}

/** What specialists may look at: files in a folder of offers. */
export function toOfferTools(folder: string): OfferTools {
  const Supplier = z.object({ supplier: z.string().regex(/^\w+$/) });
  const read = async (supplier: string): Promise<Offer> => {
    try {
      return Offer.parse(await readJson(path.join(folder, `${supplier}.json`)));
    } catch (error) {
      throw new TuttiError("TOOL_FAILED", `the offer of ${supplier} can't be read`, {
        hint: `Correct ${supplier}.json.`,
        cause: error,
      });
    }
  };
  return {
    readOffer: tool({
      name: "offer.read",
      does: "Returns an offer as it was made.",
      input: Supplier,
      output: Offer,
      effect: "read",
      run: ({ supplier }) => read(supplier),
    }),
    priceOffer: tool({
      name: "offer.price",
      does: "Says what a quantity costs in all, discount taken off.",
      input: Supplier.extend({ quantity: z.number().int().positive() }),
      output: z.object({ total: z.number(), discountPercent: z.number() }),
      effect: "read",
      async run({ supplier, quantity }) {
        const { unitPrice, discount } = await read(supplier);
        const discountPercent = quantity >= discount.fromQuantity ? discount.percent : 0;
        return { total: Math.round(quantity * unitPrice * (100 - discountPercent)) / 100, discountPercent };
      },
    }),
    readDeliveries: tool({
      name: "deliveries.read",
      does: "Returns a supplier's deliveries of before: promised and real days.",
      input: Supplier,
      output: z.object({ deliveries: z.array(Delivery) }),
      effect: "read",
      async run({ supplier }) {
        const all = z.array(Delivery).parse(await readJson(path.join(folder, "deliveries.json")));
        return { deliveries: all.filter((delivery) => delivery.supplier === supplier) };
      },
    }),
  };
}

const notOffers = new Set(["need.json", "deliveries.json", "expected.json"]);

export async function listSuppliers(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".json") && !notOffers.has(file));
  return files.map((file) => path.basename(file, ".json")).toSorted();
}

export async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, "utf8"));
}
