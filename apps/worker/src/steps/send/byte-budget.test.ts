/** Tests invariant 6 in a worker: the bytes of unrecorded replies are bounded, and work never stops entirely. */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createByteBudget, type ReplyBytes } from "./byte-budget.ts";

/** Returns true if the promise has already resolved: it then wins the race against `setImmediate`. */
async function isOpen(permission: Promise<void> | undefined): Promise<boolean> {
  const later = new Promise<"later">((resolve) => setImmediate(resolve, "later"));
  return (await Promise.race([permission, later])) !== "later";
}

test("continues to read every reply within the budget", () => {
  const budget = createByteBudget(100);
  const [a, b] = [budget.open(), budget.open()];

  expect([a.take(40), b.take(59)]).toEqual([undefined, undefined]);
  expect(budget.held()).toBe(99);
  expect(budget.isExhausted()).toBe(false);
});

test("continues to read only the oldest reply when the budget is exhausted", async () => {
  const budget = createByteBudget(100);
  const [oldest, younger] = [budget.open(), budget.open()];

  const stopped = younger.take(100);

  expect(budget.isExhausted()).toBe(true);
  expect(await isOpen(stopped)).toBe(false);
  expect(oldest.take(500)).toBeUndefined();
  expect(oldest.take(500)).toBeUndefined();
  expect(budget.held()).toBe(1_100);
});

test("continues to read the next reply when the oldest is finished, even beyond the budget", async () => {
  const budget = createByteBudget(100);
  const [first, second, third] = [budget.open(), budget.open(), budget.open()];
  expect(first.take(200)).toBeUndefined();
  const waiting = [second.take(10), third.take(10)];

  first.finish();

  expect(await Promise.all(waiting.map(isOpen))).toEqual([true, false]);
  second.finish();
  expect(await isOpen(waiting[1])).toBe(true);
});

test("continues to read waiting replies, and reports room, when a result is recorded", async () => {
  let rooms = 0;
  const budget = createByteBudget(100);
  budget.onRoom(() => {
    rooms += 1;
  });
  const [first, second, third] = [budget.open(), budget.open(), budget.open()];
  expect(first.take(90)).toBeUndefined();
  const waiting = [second.take(30), third.take(30)];
  first.finish();
  expect(rooms).toBe(0);

  first.release();

  expect(await Promise.all(waiting.map(isOpen))).toEqual([true, true]);
  expect(rooms).toBe(1);
  expect(budget.held()).toBe(60);
});

test("gives the bytes back once when a reply is released twice or before it is finished", () => {
  const budget = createByteBudget(100);
  const [a, b] = [budget.open(), budget.open()];
  expect([a.take(10), b.take(20)]).toEqual([undefined, undefined]);

  a.release();
  a.release();

  expect(budget.held()).toBe(20);
  // The oldest reply is gone, so this one is the oldest now.
  expect(b.take(1_000)).toBeUndefined();
});

test("never makes all replies wait, and holds nothing in the end, in any order of events", async () => {
  const steps = fc.array(fc.record({ who: fc.nat(5), what: fc.constantFrom("take", "take", "end") }), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (events) => {
      const budget = createByteBudget(100);
      const replies = new Map<number, { reply: ReplyBytes; permission: Promise<void> | undefined }>();
      for (const { who, what } of events) {
        const open = replies.get(who) ?? { reply: budget.open(), permission: undefined };
        replies.set(who, open);
        if (what === "end") {
          open.reply.finish();
          open.reply.release();
          replies.delete(who);
        } else if (await isOpen(open.permission)) {
          open.permission = open.reply.take(40);
        }
        const canRead = await Promise.all([...replies.values()].map(({ permission }) => isOpen(permission)));
        expect(canRead.length === 0 || canRead.includes(true)).toBe(true);
      }
      for (const { reply } of replies.values()) reply.release();
      expect(budget.held()).toBe(0);
    }),
    { numRuns: 50 },
  );
});
