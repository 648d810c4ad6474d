/** The shape of what stands in the objects of all kinds that people write. */

import { isText, listOf, objectOf, type Shape } from '../domain/admission/shape.ts';

/** Of the metadata, what is read. */
export const isMetadata: Shape = objectOf({ name: isText });

/** A capability, wherever it stands. */
export const isCapability: Shape = objectOf({ name: isText }, { resources: listOf(isText), use: isText });
