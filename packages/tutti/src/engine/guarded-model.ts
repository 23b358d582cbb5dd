import { knowsSecrets } from "../base/known-secrets.ts";
import { refuseSecrets } from "../base/refuse-secrets.ts";
import type { Model } from "../contracts/model.ts";
import { withGenerate } from "../flow/directed-model.ts";

/** The same model, which is asked nothing that holds the value of a secret: `generate` rejects with SECRET_EXPOSED instead. */
export function toGuardedModel(model: Model): Model {
  return withGenerate(model, async (request, signal, watch) => {
    if (knowsSecrets()) refuseSecrets(JSON.stringify(request), `a request to ${model.provider}/${model.id}`);
    return model.generate(request, signal, watch);
  });
}
