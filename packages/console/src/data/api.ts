import { openClient, type Client } from "tutti/client";

/** The server that this page came from; the session's cookie says who asks. */
export const client: Client = openClient({ url: "" });
