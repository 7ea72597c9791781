/** The list envelope: contract §1.5. `has_more` is always sent. The ids of an empty page are null. */
import { Type, type TObject, type TSchema } from "@sinclair/typebox";

export interface ListPage<T> {
  object: "list";
  data: T[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** Builds a page of objects, whose ids are the cursors. `hasMore` means that objects follow the last one. */
export function listPage<T extends { id: string }>(data: T[], hasMore: boolean): ListPage<T> {
  return { object: "list", data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}

/** Returns the schema of a `ListPage`. `$id` is its name in the OpenAPI document. */
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
