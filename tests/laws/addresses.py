"""The mask of an address, read character by character: areas and streets, then at most one compound, and stars for whatever follows."""

PLACES, COMPOUNDS = "省市州盟县区旗镇乡村街道路巷处", "苑园城里府庭湾郡居坊轩庄寓墅邸院厦"
PARTS = "〇零一二两三四五六七八九十百千万甲乙丙丁戊己庚辛壬癸号楼栋幢座室户层元组排队门铺库位间房"
AFTER = ("小区", "花园", "家园", "新村", "新城", "公寓", "山庄", "佳苑")


def mask_address(value: str) -> str:
    """What is known to be harmless from the beginning, and three stars for the rest."""
    kept = 0
    while (end := _segment(value, kept)) is not None:
        kept, last = end
        if last:
            break
    return value[:kept] + ("***" if kept < len(value) else "")


def _segment(value: str, start: int) -> tuple[int, bool] | None:
    """The end of the segment that begins here, and whether it is that of a compound; None where none does."""
    name = _run(value, start, lambda one: "\u4e00" <= one <= "\u9fff" and one not in PLACES + COMPOUNDS + PARTS)
    if not 1 <= name - start <= 15:
        return None
    compound = _run(value, name, lambda one: one in COMPOUNDS)
    place = _run(value, compound, lambda one: one in PLACES)
    if place > compound and compound - name <= 1:
        return place, False
    if compound == name:
        return None
    return compound + next((len(word) for word in AFTER if value.startswith(word, compound)), 0), True


def _run(value: str, start: int, belongs: object) -> int:
    assert callable(belongs)
    while start < len(value) and belongs(value[start]):
        start += 1
    return start
