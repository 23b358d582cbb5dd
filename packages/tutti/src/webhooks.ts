/** Events from outside: CloudEvents, and a receiver for them. */
export { parseCloudEvent, type CloudEvent, type IncomingHeaders } from "./protocols/webhooks/cloud-event.ts";
export {
  openWebhooks,
  type Publisher,
  type WebhookOptions,
  type Webhooks,
} from "./protocols/webhooks/open-webhooks.ts";
