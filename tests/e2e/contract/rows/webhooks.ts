/** Contract §1.4 for every client: checks the content of webhook events, and that `webhooks.unwrap` accepts them. */
import { expect, test } from "@jest/globals";
import type { ClientFixture } from "../fixture.ts";

/** Registers the rows. */
export function webhookRows({ batches }: ClientFixture): void {
  test.each(["completed", "failed", "expired", "cancelled"] as const)(
    "§1.4: the SDK verifies and reads the event of a batch that is %s",
    async (status) => {
      const { batch, webhook, event } = await batches().events[status];

      expect(event).toEqual({
        id: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
        object: "event",
        created_at: batch[`${status}_at`],
        type: `batch.${status}`,
        data: { id: batch["id"] },
      });
      expect(JSON.parse(webhook.body)).toEqual(event);
      expect(webhook.headers).toMatchObject({
        "webhook-id": expect.stringMatching(/^wh_[0-9a-f]{32}$/),
        "webhook-timestamp": expect.stringMatching(/^\d{10}$/),
        "webhook-signature": expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
      });
    },
  );

  test("§1.4: verification fails for a forged body, id or timestamp", async () => {
    expect((await batches().events.completed).taken).toEqual({ body: false, id: false, time: false });
  });
}
