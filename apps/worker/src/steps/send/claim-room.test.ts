/** Tests how many slices a worker claims ahead of its permits. */
import { expect, test } from "@jest/globals";
import { createFakeLease, nextTurn } from "../../../test/lane-fixture.ts";
import { createClaimRoom } from "./claim-room.ts";

function start(permits: number) {
  const unsent = { lines: 0, size: 0 };
  const lease = createFakeLease(permits);
  const room = createClaimRoom({
    unsent: { count: () => unsent.lines, bytes: () => unsent.size },
    lease: lease.lease,
  });
  const stopping = new AbortController();
  const admitted: number[] = [];
  const refused: number[] = [];
  const wait = (id: number): void => {
    void room.wait(stopping.signal).then((reservation) => (reservation === null ? refused : admitted).push(id));
  };
  return { unsent, lease, room, stopping, admitted, refused, wait };
}

test("always admits one slice if nothing waits to be sent, even without a permit", async () => {
  const { admitted, room, wait } = start(0);

  wait(1);
  wait(2);
  await nextTurn();

  expect(admitted).toEqual([1]);
  expect(room.waiting()).toBe(2);
});

test("admits slices up to two unsent lines for each permit", async () => {
  const { admitted, unsent, room, wait } = start(2);
  unsent.lines = 1;

  for (const id of [1, 2, 3, 4]) wait(id);
  await nextTurn();
  expect(admitted).toEqual([1, 2, 3]);

  unsent.lines = 0;
  room.wake();
  await nextTurn();
  expect(admitted).toEqual([1, 2, 3, 4]);
});

test("expects as many lines of the next slices as the claimed slices had", async () => {
  const { admitted, unsent, room, wait } = start(8);
  unsent.lines = 1;
  for (let i = 0; i < 100; i += 1) room.noteSlice(8);

  for (const id of [1, 2, 3]) wait(id);
  await nextTurn();

  expect(admitted).toEqual([1, 2]);
});

test("admits no further slice beyond 32 MiB of unsent lines", async () => {
  const { admitted, unsent, wait } = start(100);
  Object.assign(unsent, { lines: 1, size: 32 * 1024 * 1024 });

  wait(1);
  await nextTurn();

  expect(admitted).toEqual([]);
});

test("admits no slice while the upstream is paused", async () => {
  const { admitted, lease, room, wait } = start(10);
  lease.pausedMs = 500;
  wait(1);
  room.wake();
  await nextTurn();
  expect(admitted).toEqual([]);

  lease.pausedMs = 0;
  room.wake();
  await nextTurn();

  expect(admitted).toEqual([1]);
});

test("admits no slice after it is closed", async () => {
  const { admitted, room, wait } = start(10);
  room.close();

  wait(1);
  room.wake();
  await nextTurn();

  expect(admitted).toEqual([]);
});

test("refuses waiting and later slices when the worker stops", async () => {
  const { admitted, refused, room, stopping, wait } = start(0);
  wait(1);
  wait(2);

  stopping.abort();
  wait(3);
  await nextTurn();

  expect([admitted, refused]).toEqual([[1], [2, 3]]);
  expect(room.waiting()).toBe(1);
});

test("reports a change when a slice begins to wait and when a reservation first ends", async () => {
  const { room, stopping } = start(10);
  let changes = 0;
  room.onChange(() => {
    changes += 1;
  });

  const reservation = await room.wait(stopping.signal);
  expect([changes, room.waiting()]).toEqual([1, 1]);
  reservation?.release();
  reservation?.release();

  expect([changes, room.waiting()]).toEqual([2, 0]);
});

test("takes jobs for three lines per permit and for each unrecorded line", () => {
  const { lease, room } = start(0);
  expect(room.wantedSlices()).toBe(2);

  lease.permits = 10;
  expect(room.wantedSlices()).toBe(31);

  for (let i = 0; i < 5; i += 1) room.noteReply();
  room.noteRecorded();
  expect(room.wantedSlices()).toBe(35);

  lease.permits = 100_000;
  expect(room.wantedSlices()).toBe(1_024);
});
