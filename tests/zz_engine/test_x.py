import asyncpg
async def test_a(county):
    c=await asyncpg.connect(**county.connect_arguments()); print(await c.fetchval("select count(*) from dispute")); await c.close()
async def test_b(county):
    c=await asyncpg.connect(**county.connect_arguments()); print(await c.fetchval("select count(*) from dispute")); await c.close()
async def test_c(own_county):
    c=await asyncpg.connect(**own_county.connect_arguments()); print(await c.fetchval("select count(*) from dispute")); await c.close()
async def test_d(own_county): pass
async def test_e(database): pass
