"""The GraphQL schema, one file per noun, and the planning and execution of operations.

It knows neither HTTP nor tokens. Types bind to the catalog by name (`schema.node`); `schema.sdl` builds the schema from them. Imports run
one way: sdl > execution > (query, mutation) > questions > planning > nouns.
"""
