/** The list envelope: contract §1.5. `has_more` is always sent; the ids of an empty page are null. */
import { Type, type TObject, type TSchema } from "@sinclair/typebox";

export interface ListPage<T> {
  object: "list";
  data: T[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** A page of objects, whose ids clients page by. `hasMore`: there is at least one behind the last. */
export function listPage<T extends { id: string }>(data: T[], hasMore: boolean): ListPage<T> {
  return { object: "list", data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}

/** The schema of a `ListPage`, under a name of its own in the API's description. */
export function listSchema(item: TSchema, $id: string): TObject {
  const id = Type.Union([Type.String(), Type.Null()]);
  return Type.Object(
    {
      object: Type.Literal("list"),
      data: Type.Array(item),
      first_id: id,
      last_id: id,
      has_more: Type.Boolean(),
    },
    { $id, additionalProperties: false },
  );
}
