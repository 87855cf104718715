export interface PinyinCommand {
	letters: string; // a to z and '
	from: number;
	most: number; // 0: as many as fit
}

export interface PinyinCandidate {
	text: string;
	letters: number; // how many of the letters it stands for
	told: string; // of one character: what tells it from others that sound the same
}

export interface PinyinView {
	candidates: PinyinCandidate[];
	total: number;
}
